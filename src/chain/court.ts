import { encodeAbiParameters } from 'viem'
import type { CourtReader, CourtWriter } from '../domain/chainPort.ts'
import { voteNumbers } from '../domain/dispute.ts'
import { keccak256 } from '../domain/eip712.ts'
import { fromHex, toHex } from '../domain/hex.ts'
import { getCase } from './actions/getCase.ts'
import { getCredits } from './actions/getCredits.ts'
import { getDispute, listOpenDisputes } from './actions/getDispute.ts'
import { getRounds } from './actions/getRounds.ts'
import { getSeat } from './actions/getSeat.ts'
import { getSlashes } from './actions/getSlashes.ts'
import { readBlock } from './blocks.ts'
import { type ChainContext, readContract } from './context.ts'
import { readEvents } from './contractEvents.ts'
import { sendContractCall } from './sendContractCall.ts'

const commitmentFields = [
  { name: 'chainId', type: 'uint256' },
  { name: 'court', type: 'address' },
  { name: 'caseId', type: 'uint256' },
  { name: 'round', type: 'uint8' },
  { name: 'node', type: 'address' },
  { name: 'vote', type: 'uint8' },
  { name: 'salt', type: 'bytes32' },
] as const

/** Reading cases, rounds and what the court holds (ICourt). */
export function createCourtReader(context: ChainContext): CourtReader {
  const { chainId, contracts } = context.deployment
  return {
    getDispute: (caseId) => getDispute(context, caseId),
    getRounds: (caseId) => getRounds(context, caseId),
    getSeat: (caseId, round, node) => getSeat(context, caseId, round, node),
    async getConvictions(node) {
      const { step, stepAt, stepBps, openDisputes, frozenWei } = await readContract(context, 'court', 'getRecord', [node])
      return { node, step, stepAt: Number(stepAt), stepBps, openDisputes, frozenWei }
    },
    getCase: (caseId) => getCase(context, caseId),
    listOpenDisputes: () => listOpenDisputes(context),
    getSlashes: (node) => getSlashes(context, node),
    async listBallots(node) {
      const { number: toBlock } = await readBlock(context, 'latest')
      const events = await readEvents(context, 'court', { eventName: 'VoteCommitted', args: { node }, toBlock })
      return events.map(({ args: { caseId, round } }) => ({ caseId, round }))
    },
    getCredits: (account) => getCredits(context, account),
    getChallengeBond: (accused) => readContract(context, 'court', 'challengeBondWei', [accused]),
    getAppealBond: (caseId) => readContract(context, 'court', 'appealBondWei', [caseId]),
    toVoteCommitment({ caseId, round, node, vote, salt }) {
      const values = [BigInt(chainId), contracts.court, caseId, round, node, voteNumbers[vote], salt] as const
      return toHex(keccak256(fromHex(encodeAbiParameters(commitmentFields, values))))
    },
  }
}

/** Writing to the court, one verb for each of its functions (ICourt). */
export function createCourtWriter(context: ChainContext): CourtWriter {
  const contract = 'court'
  return {
    reportMiner: (signer, { first, second }, options) => {
      const args = [first.assignment, first.assignmentSignature, first.result, first.resultSignature, second.result, second.resultSignature] as const
      return sendContractCall(context, signer, { contract, functionName: 'reportMiner', args }, options)
    },
    reportCoordinator: (signer, { first, second }, options) => {
      const args = [first.assignment, first.assignmentSignature, second.assignment, second.assignmentSignature] as const
      return sendContractCall(context, signer, { contract, functionName: 'reportCoordinator', args }, options)
    },
    challenge: (signer, { receipt, evidence, bondWei }, options) => {
      const { input, params, output } = evidence
      const args = [receipt, { input: toHex(input), params: toHex(params), output: toHex(output) }] as const
      return sendContractCall(context, signer, { contract, functionName: 'challenge', args, valueWei: bondWei }, options)
    },
    addEvidence: (signer, { caseId, data }, options) =>
      sendContractCall(context, signer, { contract, functionName: 'addEvidence', args: [caseId, toHex(data)] }, options),
    sealRound: (signer, { caseId, proof }, options) => sendContractCall(context, signer, { contract, functionName: 'seal', args: [caseId, proof] }, options),
    summonJuror: (signer, { caseId, node }, options) => sendContractCall(context, signer, { contract, functionName: 'summon', args: [caseId, node] }, options),
    commitVote: (signer, { caseId, node, commitment }, options) =>
      sendContractCall(context, signer, { contract, functionName: 'commit', args: [caseId, node, commitment] }, options),
    revealVote: (signer, { caseId, node, vote, salt }, options) =>
      sendContractCall(context, signer, { contract, functionName: 'reveal', args: [caseId, node, voteNumbers[vote], salt] }, options),
    concludeRound: (signer, { caseId }, options) => sendContractCall(context, signer, { contract, functionName: 'conclude', args: [caseId] }, options),
    appeal: (signer, { caseId, side, bondWei }, options) =>
      sendContractCall(context, signer, { contract, functionName: 'appeal', args: [caseId, voteNumbers[side]], valueWei: bondWei }, options),
    fineJuror: (signer, { caseId, round, node }, options) =>
      sendContractCall(context, signer, { contract, functionName: 'fine', args: [caseId, round, node] }, options),
    creditJuror: (signer, { caseId, round, node }, options) =>
      sendContractCall(context, signer, { contract, functionName: 'creditJuror', args: [caseId, round, node] }, options),
    withdrawCredits: (signer, { to }, options) => sendContractCall(context, signer, { contract, functionName: 'withdraw', args: [to] }, options),
    withdrawCut: (signer, { caseId, to }, options) => sendContractCall(context, signer, { contract, functionName: 'withdrawCut', args: [caseId, to] }, options),
  }
}
