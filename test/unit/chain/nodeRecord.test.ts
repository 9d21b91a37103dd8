import { encodeAbiParameters, keccak256 } from 'viem'
import { expect, test } from 'vitest'
import { hashProfile, toNodeRecord } from '../../../src/chain/nodeRecord.ts'

const profile = { name: 'Ünïcode ⛏', url: 'https://node.test', description: '' }
const view = {
  owner: '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266',
  role: 1,
  active: true,
  away: false,
  suspended: false,
  jailedUntil: 1_900_000_100n,
  operator: '0x70997970C51812dc3A010C7d01b50e0d17dc79C8',
  voterShareBps: 100,
  registeredAt: 1_900_000_000n,
  bondWei: 5n,
  votesWei: 3n,
  voteShares: 7n,
  thawingBondWei: 2n,
  thawingVotesWei: 1n,
  rewardsWei: 9n,
  weightWei: 8n,
  nonce: 1n,
  profileHash: hashProfile(profile),
} as const

test('a view becomes a record with lower-case addresses', () => {
  expect(toNodeRecord(view, profile)).toEqual({
    ...view,
    owner: undefined,
    node: '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266',
    operator: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8',
    role: 'miner',
    registeredAt: 1_900_000_000,
    jailedUntil: 1_900_000_100,
    profile,
  })
})

test('a profile that is not the one the hash on chain stands for is dropped', () => {
  expect(toNodeRecord(view, { ...profile, url: 'https://evil.test' }).profile).toBeNull()
  expect(toNodeRecord(view, null).profile).toBeNull()
})

test('the hash is the first 12 bytes of keccak256(abi.encode(profile))', () => {
  const tuple = { type: 'tuple', components: ['name', 'url', 'description'].map((name) => ({ name, type: 'string' })) } as const
  expect(hashProfile(profile)).toBe(keccak256(encodeAbiParameters([tuple], [profile] as never)).slice(0, 26))
})
