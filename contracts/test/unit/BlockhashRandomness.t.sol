// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {BlockhashRandomness} from "../../src/BlockhashRandomness.sol";
import {IRandomness} from "../../src/interfaces/IRandomness.sol";
import {vm} from "../utils/Vm.sol";

/// @dev The cheat code that lets blocks pass.
interface VmRoll {
    function roll(uint256 number) external;
}

contract BlockhashRandomnessTest {
    uint64 private constant START = 1_800_000_000;

    BlockhashRandomness private randomness;

    function setUp() public {
        vm.chainId(31337);
        vm.warp(START);
        randomness = new BlockhashRandomness();
    }

    /// @dev On a chain whose blocks are worth grinding there is none of it.
    function test_onTheDevnetAlone() public {
        uint256[3] memory chains = [uint256(1), 1200, 31338];
        for (uint256 i = 0; i < chains.length; ++i) {
            vm.chainId(chains[i]);
            vm.expectRevert(abi.encodeWithSelector(IRandomness.ChainUnsupported.selector, chains[i]));
            new BlockhashRandomness();
        }
    }

    function test_aSealedRoundKeepsItsSeed() public {
        bytes32 seed = randomness.seal(START, "");
        VmRoll(address(vm)).roll(block.number + 5);
        vm.assertEq(randomness.seal(START, ""), seed, "in a later block");
        vm.assertTrue(randomness.seal(START - 1, "") != seed, "another round");
    }

    function test_roundIsItsSecond() public view {
        vm.assertEq(randomness.roundAt(0), 0, "zero");
        vm.assertEq(randomness.roundAt(START), START, "now");
        vm.assertEq(randomness.roundAt(type(uint64).max), type(uint64).max, "last");
    }

    function test_roundIsSealedFromItsSecondOn() public {
        vm.warp(START - 1);
        vm.expectRevert(abi.encodeWithSelector(IRandomness.RoundNotReached.selector, START, START));
        randomness.seal(START, "");
        vm.warp(START);
        bytes32 seed = keccak256(abi.encode(blockhash(block.number - 1), START));
        vm.expectEmit(address(randomness));
        emit IRandomness.Sealed(START, seed);
        vm.assertEq(randomness.seal(START, ""), seed, "returned");
        vm.assertEq(randomness.seedOf(START), seed, "stored");
    }

    function test_roundsSealedInOneBlockDiffer() public {
        vm.assertTrue(randomness.seal(START, "") != randomness.seal(START - 1, ""), "seeds");
    }
}
