import type { Chain, TxReport } from '../../domain/chainPort.ts'
import type { ChainContext } from '../context.ts'
import { sendTransaction } from '../sendTransaction.ts'

/** Sends `amountWei` of the signer's wallet to `to`. @throws CUCKOO_CHAIN_WALLET_TOO_LOW */
export function transfer(context: ChainContext, ...[signer, input, options]: Parameters<Chain['transfer']>): Promise<TxReport> {
  const sender = { client: context.client, nonces: context.nonces, network: context.deployment.network }
  return sendTransaction(sender, signer, { action: 'transfer', contract: null, to: input.to, data: '0x', valueWei: input.amountWei }, options)
}
