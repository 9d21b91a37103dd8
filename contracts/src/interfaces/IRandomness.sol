// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title IRandomness
/// @notice Seeds that nobody knows in advance and nobody can choose, by round number.
///
/// - `DrandRandomness`: rounds of drand's `evmnet` beacon (scheme bls-bn254-unchained-on-g1: message keccak256(uint64
///   round, big-endian), signature on G1, key on G2). {seal} takes the round's 64-byte signature and verifies it by
///   pairing; the seed is keccak256(signature), so there is exactly one per round. Group key, genesis and period are
///   constructor arguments that deployment fixes to the published ones and verification reads back.
/// - `BlockhashRandomness`: for the devnet. A round is a unix second; {seal} from that second on takes the hash of the last
///   block and ignores `proof`. Whoever seals chooses when, so its constructor reverts on every chain id but 31337.
interface IRandomness {
    event Sealed(uint64 indexed round, bytes32 seed);

    /// @param reachedAt unix seconds from which {seal} takes the round; the last of 64 bits for what lies beyond
    error RoundNotReached(uint64 round, uint64 reachedAt);
    /// @notice `proof` is not the one encoding of the round's one signature; any proof, for a round that never is.
    error ProofInvalid(uint64 round);
    error ChainUnsupported(uint256 chainId);

    /// @notice The first round that becomes known at or after `timestamp`, in unix seconds.
    function roundAt(uint64 timestamp) external view returns (uint64 round);

    /// @notice Stores the seed of `round`; returns the stored one, whatever `proof`, if there is one. For anybody, at
    /// any time from the round's own on. Emits {Sealed} when it stores.
    function seal(uint64 round, bytes calldata proof) external returns (bytes32 seed);

    /// @notice The seed of `round`, never zero once sealed, zero before.
    function seedOf(uint64 round) external view returns (bytes32 seed);
}
