// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IRandomness} from "./interfaces/IRandomness.sol";

/// @title BlockhashRandomness
/// @notice Seeds for the devnet, where no beacon can be reached. A round is a unix second; `proof` is ignored.
/// @custom:security Whoever seals chooses the block and so the seed.
contract BlockhashRandomness is IRandomness {
    uint256 private constant DEVNET = 31337;

    /// @inheritdoc IRandomness
    mapping(uint64 round => bytes32 seed) public seedOf;

    constructor() {
        if (block.chainid != DEVNET) revert ChainUnsupported(block.chainid);
    }

    /// @inheritdoc IRandomness
    function roundAt(uint64 timestamp) external pure returns (uint64 round) {
        return timestamp;
    }

    /// @inheritdoc IRandomness
    function seal(uint64 round, bytes calldata) external returns (bytes32 seed) {
        seed = seedOf[round];
        if (seed != 0) return seed;
        if (block.timestamp < round) revert RoundNotReached(round, round);

        // With the round, so that two rounds sealed in one block differ.
        seed = keccak256(abi.encode(blockhash(block.number - 1), round));
        seedOf[round] = seed;
        emit Sealed(round, seed);
    }
}
