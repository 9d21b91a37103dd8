// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IRandomness} from "../../src/interfaces/IRandomness.sol";

/// @notice Seeds by round as a beacon has them, but a test may choose them. A round is a unix second.
contract RandomnessMock is IRandomness {
    bytes32 private constant BAD_PROOF = keccak256("bad");

    mapping(uint64 round => bytes32) public seedOf;
    mapping(uint64 round => bytes32) private _chosen;

    function choose(uint64 round, bytes32 seed) external {
        _chosen[round] = seed;
    }

    function roundAt(uint64 timestamp) external pure returns (uint64) {
        return timestamp;
    }

    function seal(uint64 round, bytes calldata proof) external returns (bytes32 seed) {
        seed = seedOf[round];
        if (seed != 0) return seed;
        if (block.timestamp < round) revert RoundNotReached(round, round);
        if (keccak256(proof) == BAD_PROOF) revert ProofInvalid(round);
        seed = _chosen[round] == 0 ? keccak256(abi.encode("seed", round)) : _chosen[round];
        seedOf[round] = seed;
        emit Sealed(round, seed);
    }
}
