import { formatAmount } from '../domain/amount.ts'
import type { Address, Hex } from '../domain/hex.ts'
import { callReverted, evmTooOld, rpcRefused, walletTooLow } from '../errors/chain.ts'
import { isError } from '../errors/cuckooError.ts'
import { runRpc } from './context.ts'
import type { DeploymentStep } from './deploymentSteps.ts'
import type { Sender } from './sendTransaction.ts'

export interface SimulatedDeployment {
  /** of each transaction, at most */
  gas: bigint[]
  /** of all together, at most */
  feeWei: bigint
}

/** TSTORE and MCOPY, which Cancun brought (EIP-1153, EIP-5656), in an Orbit chain ArbOS 20. */
const cancunProbe = '0x5f5f5d5f5f5f5e00'

/**
 * What all `steps` would cost, each run on the state that those before it would leave, so that whatever a constructor refuses is
 * known before anything is sent. The RPC must take state overrides of eth_call and eth_estimateGas (geth, Nitro and anvil do).
 * @throws CUCKOO_CHAIN_EVM_TOO_OLD when the chain lacks instructions that the contracts are compiled to
 * @throws CUCKOO_CHAIN_WALLET_TOO_LOW when the account cannot pay all of it
 * @throws CUCKOO_STAKING_PARAMETER_INVALID, CUCKOO_COURT_PARAMETER_INVALID, … when a constructor refuses
 */
export async function simulateDeployment(sender: Sender, deployer: Address, steps: readonly DeploymentStep[]): Promise<SimulatedDeployment> {
  const { client, network } = sender
  await assertCancun(sender, deployer)
  const [availableWei, fees] = await runRpc('deploy', () =>
    Promise.all([client.getBalance({ address: deployer, blockTag: 'pending' }), client.estimateFeesPerGas({ type: 'eip1559' })]),
  )
  const there: { address: Address; code: Hex }[] = []
  const gas: bigint[] = []
  for (const { contract, nonce, address, data } of steps) {
    // The address of what is created, which it keeps in itself, follows from the nonce.
    const call = { account: deployer, data, stateOverride: [{ address: deployer, nonce }, ...there] }
    const [estimate, { data: code = '0x' }] = await runRpc('deploy', () => Promise.all([client.estimateGas(call), client.call(call)]), contract)
    gas.push(estimate + estimate / 4n)
    there.push({ address, code })
  }
  const feeWei = gas.reduce((total, limit) => total + limit) * fees.maxFeePerGas
  if (availableWei < feeWei) {
    const [availableCai, feeCai] = [formatAmount(availableWei), formatAmount(feeWei)]
    throw walletTooLow({ account: deployer, availableCai, neededCai: feeCai, feeCai, network })
  }
  return { gas, feeWei }
}

/** The contracts' constructors would pass on an older chain, and their functions fail. */
async function assertCancun({ client }: Sender, deployer: Address): Promise<void> {
  try {
    await runRpc('deploy', () => client.call({ account: deployer, data: cancunProbe }))
  } catch (cause) {
    if (isError(cause, rpcRefused) || isError(cause, callReverted)) throw evmTooOld({ chainId: client.chain.id }, { cause })
    throw cause
  }
}
