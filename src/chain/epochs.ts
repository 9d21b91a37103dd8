import { encodeAbiParameters } from 'viem'
import type { EpochReader, EpochWriter } from '../domain/chainPort.ts'
import { keccak256 } from '../domain/eip712.ts'
import { fromHex, toHex, zeroHash } from '../domain/hex.ts'
import { type ChainContext, readContract } from './context.ts'
import { sendContractCall } from './sendContractCall.ts'

const commitmentFields = [{ type: 'address' }, { type: 'uint64' }, { type: 'bytes32' }] as const

/** Reading coordinators' commitments to their draw secrets (IEpochs). */
export function createEpochReader(context: ChainContext): EpochReader {
  return {
    async findEpochCommitment(coordinator, epoch) {
      const commitment = await readContract(context, 'epochs', 'commitmentFor', [coordinator, epoch])
      return commitment === zeroHash ? null : commitment
    },
    getOverdueCount: async (coordinator) => Number(await readContract(context, 'epochs', 'overdueCount', [coordinator])),
    toEpochCommitment: (coordinator, epoch, secret) => toHex(keccak256(fromHex(encodeAbiParameters(commitmentFields, [coordinator, epoch, secret])))),
  }
}

/** Writing to the epochs contract, one verb for each of its functions (IEpochs). */
export function createEpochWriter(context: ChainContext): EpochWriter {
  const contract = 'epochs'
  return {
    commitEpoch: (signer, { coordinator, epoch, commitment }, options) =>
      sendContractCall(context, signer, { contract, functionName: 'commit', args: [coordinator, epoch, commitment] }, options),
    revealEpoch: (signer, { coordinator, epoch, secret }, options) =>
      sendContractCall(context, signer, { contract, functionName: 'reveal', args: [coordinator, epoch, secret] }, options),
    turnEpoch: (signer, { coordinator, revealed, secret, committed, commitment }, options) =>
      sendContractCall(context, signer, { contract, functionName: 'turn', args: [coordinator, revealed, secret, committed, commitment] }, options),
    suspendCoordinator: (signer, { coordinator, epoch }, options) =>
      sendContractCall(context, signer, { contract, functionName: 'suspend', args: [coordinator, epoch] }, options),
  }
}
