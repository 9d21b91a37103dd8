/** Where the seeds of juries come from. */
import type { Hex } from './hex.ts'

/** A public source of randomness that publishes a signed value per round. */
export interface Beacon {
  /**
   * The proof of `round`, as the contract's `seal` takes it. The contract verifies it; this only fetches.
   * @throws CUCKOO_BEACON_ROUND_NOT_REACHED, CUCKOO_BEACON_UNAVAILABLE, CUCKOO_BEACON_INVALID
   */
  fetchProof(round: bigint, signal?: AbortSignal): Promise<Hex>
}
