import { defineError } from './cuckooError.ts'

export const beaconUnavailable = defineError(
  'CUCKOO_BEACON_UNAVAILABLE',
  'unavailable',
  (f: { round: bigint; relays: readonly string[]; reasons: readonly string[] }) => ({
    message: `Round ${f.round} of the randomness beacon cannot be fetched: ${f.relays.map((relay, i) => `${relay}: ${f.reasons[i]}`).join('; ')}.`,
    hint: 'Try again in a moment; any relay of drand will do, and anybody can seal the round.',
  }),
)
export const beaconInvalid = defineError('CUCKOO_BEACON_INVALID', 'invalid', (f: { round: bigint; relay: string; problem: string }) => ({
  message: `What ${f.relay} gave for round ${f.round} of the randomness beacon is not its signature: ${f.problem}.`,
  hint: 'Use another relay of drand.',
}))
export const beaconRoundNotReached = defineError('CUCKOO_BEACON_ROUND_NOT_REACHED', 'unavailable', (f: { round: bigint; reachedAt: bigint }) => ({
  message: `Round ${f.round} of the randomness beacon is not published yet: it is due at ${new Date(Number(f.reachedAt) * 1_000).toISOString()}.`,
  hint: 'Try again after that time; a clock that runs ahead also says this.',
}))
