import { describe, expect, it } from 'vitest'
import { loadNativeCurve, loadWasmCurve } from '../../../src/chain/secp256k1.ts'
import { createLocalSigner } from '../../../src/chain/signer.ts'
import type { Vote } from '../../../src/domain/dispute.ts'
import { keccak256, toDomainSeparator } from '../../../src/domain/eip712.ts'
import { type Hash, toHex } from '../../../src/domain/hex.ts'
import { type BallotPlace, findVote, toJurorSalt } from '../../../src/domain/jurorSalt.ts'

const key: Hash = `0x${'11'.repeat(32)}`
const domain = toDomainSeparator({ chainId: 31337, verifyingContract: `0x${'55'.repeat(20)}` })
const place: BallotPlace = { court: `0x${'66'.repeat(20)}`, caseId: 3n, round: 1, node: `0x${'22'.repeat(20)}` }

describe('the salt of a vote', () => {
  it('is the same from native and WASM signers, and today as on the day it was written down here', async (context) => {
    const native = loadNativeCurve()
    if (native === null) return context.skip('skipped: no prebuilt secp256k1 binary here')
    const salt = toJurorSalt(createLocalSigner(key, native), domain, place)
    expect(salt).toBe(toJurorSalt(createLocalSigner(key, await loadWasmCurve()), domain, place))
    expect(salt).toMatchInlineSnapshot(`"0x997dcef7227aae174703c6eb558e1f89e3be21ccaafca16fe2df6da17453e2a9"`)
  })

  it('is another one for another court, case, round, node, network or key', () => {
    const signer = createLocalSigner(key)
    const salts = [
      toJurorSalt(signer, domain, place),
      toJurorSalt(signer, domain, { ...place, court: `0x${'67'.repeat(20)}` }),
      toJurorSalt(signer, domain, { ...place, caseId: 4n }),
      toJurorSalt(signer, domain, { ...place, round: 2 }),
      toJurorSalt(signer, domain, { ...place, node: `0x${'23'.repeat(20)}` }),
      toJurorSalt(signer, toDomainSeparator({ chainId: 1, verifyingContract: `0x${'55'.repeat(20)}` }), place),
      toJurorSalt(createLocalSigner(`0x${'12'.repeat(32)}`), domain, place),
    ]
    expect(new Set(salts).size).toBe(salts.length)
  })

  it('opens the commitment of each vote, and of none with another salt', () => {
    const toCommitment = (salt: Hash) => (vote: Vote) => toHex(keccak256(Buffer.from(`${salt} ${vote}`)))
    for (const vote of ['valid', 'invalid', 'cannot-judge'] as const) expect(findVote(toCommitment('0xaa')(vote), toCommitment('0xaa'))).toBe(vote)
    expect(findVote(toCommitment('0xaa')('valid'), toCommitment('0xab'))).toBeUndefined()
  })
})
