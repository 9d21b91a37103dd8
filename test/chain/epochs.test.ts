import { createPublicClient, http } from 'viem'
import { expect, test } from 'vitest'
import { epochsAbi } from '../../src/chain/contracts.generated.ts'
import type { Hash } from '../../src/domain/hex.ts'
import * as errors from '../../src/errors/epochs.ts'
import { stillSuspended } from '../../src/errors/staking.ts'
import { testParameters, useTestNetwork } from '../support/chainFixtures.ts'

const network = useTestNetwork()
const { drawSeconds, graceSeconds } = testParameters
const secrets = [1, 2].map((index): Hash => `0x${String(index).repeat(64)}`) as [Hash, Hash]

test('commit, reveal and turn; suspended when overdue, active again when revealed', async () => {
  const { chain, signer, registerCoordinator, warp, warpTo, now } = network()
  const [owner, operator, stranger] = [signer(1), signer(2), signer(3)]
  await registerCoordinator({ owner, operator })
  const coordinator = owner.address
  await warpTo(0, drawSeconds)
  const epoch = BigInt(Math.floor((await now()) / drawSeconds))
  const toCommitment = (of: bigint, secret: Hash) => chain.toEpochCommitment(coordinator, of, secret)
  const [first, second] = [toCommitment(epoch, secrets[0]), toCommitment(epoch + 1n, secrets[1])]

  await expect(chain.commitEpoch(stranger, { coordinator, epoch, commitment: first })).rejects.toMatchObject({ code: errors.notActing.code })
  await chain.commitEpoch(operator, { coordinator, epoch, commitment: first })
  expect(await chain.findEpochCommitment(coordinator, epoch)).toBe(first)
  expect(await chain.findEpochCommitment(coordinator, epoch + 1n)).toBeNull()
  await expect(chain.commitEpoch(operator, { coordinator, epoch, commitment: first })).rejects.toMatchObject({ code: errors.epochCommitted.code })
  await expect(chain.revealEpoch(stranger, { coordinator, epoch, secret: secrets[0] })).rejects.toMatchObject({ code: errors.epochNotOver.code })

  await warp(Number(epoch + 1n) * drawSeconds - (await now()))
  await expect(chain.commitEpoch(operator, { coordinator, epoch: epoch - 1n, commitment: first })).rejects.toMatchObject({ code: errors.epochOver.code })
  await expect(chain.revealEpoch(stranger, { coordinator, epoch, secret: secrets[1] })).rejects.toMatchObject({ code: errors.secretInvalid.code })
  await chain.turnEpoch(operator, { coordinator, revealed: epoch, secret: secrets[0], committed: epoch + 1n, commitment: second })
  expect(await chain.findEpochCommitment(coordinator, epoch)).toBeNull()
  expect(await chain.findEpochCommitment(coordinator, epoch + 1n)).toBe(second)

  const late = { coordinator, epoch: epoch + 1n }
  await expect(chain.suspendCoordinator(stranger, late)).rejects.toMatchObject({ code: errors.notOverdue.code })
  await warp(drawSeconds + graceSeconds)
  await chain.suspendCoordinator(stranger, late)
  await expect(chain.suspendCoordinator(stranger, late)).rejects.toMatchObject({ code: errors.alreadyOverdue.code })
  expect(await chain.getOverdueCount(coordinator)).toBe(1)
  expect(await chain.getNode(coordinator)).toMatchObject({ active: false, suspended: true })
  await chain.rest(operator, { node: coordinator })
  await expect(chain.rejoin(operator, { node: coordinator })).rejects.toMatchObject({ code: stillSuspended.code })
  await chain.revealEpoch(stranger, { ...late, secret: secrets[1] })
  expect(await chain.getOverdueCount(coordinator)).toBe(0)
  await chain.rejoin(operator, { node: coordinator })
  expect(await chain.getNode(coordinator)).toMatchObject({ active: true, suspended: false })
  await expect(chain.revealEpoch(stranger, { ...late, secret: secrets[1] })).rejects.toMatchObject({ code: errors.commitmentUnknown.code })
})

test('a commitment is the one that the contract computes', async () => {
  const { chain, deployment, rpcUrl, signer } = network()
  const client = createPublicClient({ transport: http(rpcUrl) })
  const args = [signer(1).address, 12n, secrets[0]] as const
  const expected = await client.readContract({ address: deployment.contracts.epochs, abi: epochsAbi, functionName: 'commitmentOf', args })
  expect(chain.toEpochCommitment(...args)).toBe(expected)
})
