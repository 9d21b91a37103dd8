import type { PaymentReader, PaymentWriter } from '../domain/chainPort.ts'
import { getClaims } from './actions/getClaims.ts'
import { getLine, getLines } from './actions/getLines.ts'
import { type ChainContext, readContract } from './context.ts'
import { sendContractCall } from './sendContractCall.ts'

/** Reading escrows, lines and claims (IPayments). */
export function createPaymentReader(context: ChainContext): PaymentReader {
  return {
    async getEscrow(coordinator) {
      const view = await readContract(context, 'payments', 'getCoordinator', [coordinator])
      return { coordinator, ...view, releaseAt: view.thawingWei === 0n ? null : Number(view.releaseAt) }
    },
    getLine: (coordinator, miner) => getLine(context, coordinator, miner),
    getLines: (party) => getLines(context, party),
    getClaims: (party) => getClaims(context, party),
    async previewRedeem(coordinator, miner, cumulativeWei) {
      const [paidWei, claimedWei] = await readContract(context, 'payments', 'previewRedeem', [coordinator, miner, cumulativeWei])
      return { paidWei, claimedWei }
    },
  }
}

/** Writing to the payments contract, one verb for each of its functions (IPayments). */
export function createPaymentWriter(context: ChainContext): PaymentWriter {
  const contract = 'payments'
  return {
    depositEscrow: (signer, { coordinator, amountWei }, options) =>
      sendContractCall(context, signer, { contract, functionName: 'deposit', args: [coordinator], valueWei: amountWei }, options),
    requestEscrow: (signer, { amountWei }, options) =>
      sendContractCall(context, signer, { contract, functionName: 'requestWithdrawal', args: [amountWei] }, options),
    withdrawEscrow: (signer, { to }, options) => sendContractCall(context, signer, { contract, functionName: 'withdraw', args: [to] }, options),
    raiseLines: (signer, { coordinator, lines }, options) => {
      const args = [coordinator, lines.map(({ miner }) => miner), lines.map(({ addedWei }) => addedWei)] as const
      return sendContractCall(context, signer, { contract, functionName: 'raiseLines', args }, options)
    },
    noticeLine: (signer, { coordinator, miner, capWei }, options) =>
      sendContractCall(context, signer, { contract, functionName: 'noticeLine', args: [coordinator, miner, capWei] }, options),
    applyNotice: (signer, { coordinator, miner }, options) =>
      sendContractCall(context, signer, { contract, functionName: 'applyNotice', args: [coordinator, miner] }, options),
    redeem: (signer, { vouchers }, options) => {
      const args = [vouchers.map(({ voucher }) => voucher), vouchers.map(({ signature }) => signature)] as const
      return sendContractCall(context, signer, { contract, functionName: 'redeem', args }, options)
    },
    coverClaims: (signer, { claimIds }, options) => sendContractCall(context, signer, { contract, functionName: 'cover', args: [claimIds] }, options),
    penaliseClaim: (signer, { claimId }, options) => sendContractCall(context, signer, { contract, functionName: 'penalise', args: [claimId] }, options),
    collectClaim: (signer, { claimId }, options) => sendContractCall(context, signer, { contract, functionName: 'collect', args: [claimId] }, options),
  }
}
