// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {BlockhashRandomness} from "../../src/BlockhashRandomness.sol";
import {DrandRandomness} from "../../src/DrandRandomness.sol";
import {IRandomness} from "../../src/interfaces/IRandomness.sol";
import {BN254} from "../../src/libraries/BN254.sol";
import {Evmnet} from "../utils/Evmnet.sol";
import {vm} from "../utils/Vm.sol";

interface VmRoll {
    function roll(uint256 blockNumber) external;
}

/// @notice Trying seeds until one fits: by sealing again, elsewhere, later, with another writing of the proof, or in another
/// block.
contract GrindingAttack {
    DrandRandomness private beacon;
    Evmnet.Round private target;
    Evmnet.Round private other;

    function setUp() public {
        beacon = new DrandRandomness(Evmnet.groupKey(), Evmnet.GENESIS, Evmnet.PERIOD);
        Evmnet.Round[] memory rounds = Evmnet.rounds();
        (target, other) = (rounds[2], rounds[3]);
        vm.warp(Evmnet.timeOf(other.number));
    }

    // ---- another seed for the same round ----

    function test_sealingAgainKeepsTheSeed() public {
        bytes32 seed = beacon.seal(target.number, target.signature);
        vm.recordLogs();
        vm.assertEq(beacon.seal(target.number, target.signature), seed, "the same proof");
        vm.assertEq(beacon.seal(target.number, other.signature), seed, "another round's proof");
        vm.assertEq(beacon.seal(target.number, ""), seed, "no proof");
        vm.assertEq(beacon.seedOf(target.number), seed, "stored");
        vm.assertEq(vm.getRecordedLogs().length, 0, "events");
    }

    function test_whenAndByWhomDoesNotMatter() public {
        uint256 state = vm.snapshotState();
        bytes32 seed = beacon.seal(target.number, target.signature);
        vm.revertToState(state);
        vm.warp(Evmnet.timeOf(target.number) + 365 days);
        _roll(1_000);
        vm.prank(address(0xbad));
        vm.assertEq(beacon.seal(target.number, target.signature), seed, "a year later");
    }

    /// @dev As numbers these are the signature: the precompile of a careless chain, or a check by remainders, takes them.
    function test_coordinatesBeyondTheFieldAreRefused() public {
        (uint256 x, uint256 y) = abi.decode(target.signature, (uint256, uint256));
        for (uint256 more = BN254.P; more < type(uint256).max - BN254.P; more += BN254.P) {
            _refuse(abi.encode(x + more, y));
            _refuse(abi.encode(x, y + more));
            _refuse(abi.encode(x + more, y + more));
        }
    }

    /// @dev The opposite point, sums and multiples of signatures are on the curve too, and no signatures.
    function test_relatedPointsAreRefused() public {
        (uint256 x, uint256 y) = abi.decode(target.signature, (uint256, uint256));
        (uint256 otherX, uint256 otherY) = abi.decode(other.signature, (uint256, uint256));
        _refuse(abi.encode(x, BN254.P - y));
        (uint256 sumX, uint256 sumY) = BN254.add(x, y, otherX, otherY);
        _refuse(abi.encode(sumX, sumY));
        (sumX, sumY) = BN254.add(x, y, x, y);
        _refuse(abi.encode(sumX, sumY));
        _refuse(abi.encode(1, 2));
    }

    function test_longerProofsAreRefused() public {
        _refuse(abi.encodePacked(target.signature, hex"00"));
        _refuse(abi.encodePacked(target.signature, target.signature));
        _refuse(abi.encodePacked(hex"00", target.signature));
    }

    function testFuzz_anyOtherProofIsRefused(uint256 x, uint256 y, uint256 bit) public {
        (uint256 rightX, uint256 rightY) = abi.decode(target.signature, (uint256, uint256));
        vm.assume(x != rightX || y != rightY);
        _refuse(abi.encode(x, y));
        bytes memory flipped = target.signature;
        bit %= 512;
        flipped[bit / 8] ^= bytes1(uint8(2 ** (bit % 8)));
        _refuse(flipped);
    }

    // ---- another round for the same question ----

    function test_proofOfOneRoundSealsNoOther() public {
        vm.expectRevert(abi.encodeWithSelector(IRandomness.ProofInvalid.selector, target.number));
        beacon.seal(target.number, other.signature);
        beacon.seal(other.number, other.signature);
        vm.assertEq(beacon.seedOf(target.number), bytes32(0), "still open");
    }

    /// @dev What was asked fixes the round, and a later question never gets an earlier one.
    function testFuzz_roundIsAFunctionOfTheTime(uint64 timestamp, uint64 later) public view {
        timestamp %= 1 << 40;
        later %= 1 << 40;
        uint64 round = beacon.roundAt(timestamp);
        uint64 due = Evmnet.timeOf(round);
        vm.assertGe(due, timestamp, "known only then");
        vm.assertTrue(round == 1 || due - Evmnet.PERIOD < timestamp, "the first");
        vm.assertTrue(later < timestamp || beacon.roundAt(later) >= round, "in order");
    }

    function test_signatureKnownEarlyWaitsForItsTime() public {
        vm.warp(Evmnet.timeOf(target.number) - 1);
        vm.expectPartialRevert(IRandomness.RoundNotReached.selector);
        beacon.seal(target.number, target.signature);
    }

    // ---- block hashes ----

    /// @dev Why they are for the devnet only: who waits a block gets another seed.
    function test_blockHashesCanBeGround() public {
        vm.chainId(31337);
        BlockhashRandomness devnet = new BlockhashRandomness();
        _roll(100);
        uint256 state = vm.snapshotState();
        bytes32 seed = devnet.seal(1, "");
        vm.revertToState(state);
        _roll(101);
        vm.assertTrue(devnet.seal(1, "") != seed, "another seed");
    }

    function test_sealedBlockHashStays() public {
        vm.chainId(31337);
        BlockhashRandomness devnet = new BlockhashRandomness();
        _roll(100);
        bytes32 seed = devnet.seal(1, "");
        _roll(101);
        vm.assertEq(devnet.seal(1, "another"), seed, "seed");
    }

    function testFuzz_blockHashesAreRefusedOffTheDevnet(uint64 chainId) public {
        vm.assume(chainId != 31337 && chainId != 0);
        _refuseDeployment(chainId);
    }

    function test_blockHashesAreRefusedOnTheNetworks() public {
        _refuseDeployment(1);
        _refuseDeployment(1200);
        _refuseDeployment(1210);
        _refuseDeployment(31336);
        _refuseDeployment(31338);
    }

    function _refuseDeployment(uint64 chainId) private {
        vm.chainId(chainId);
        vm.expectRevert(abi.encodeWithSelector(IRandomness.ChainUnsupported.selector, chainId));
        new BlockhashRandomness();
    }

    function _refuse(bytes memory proof) private {
        vm.expectRevert(abi.encodeWithSelector(IRandomness.ProofInvalid.selector, target.number));
        beacon.seal(target.number, proof);
        vm.assertEq(beacon.seedOf(target.number), bytes32(0), "unsealed");
    }

    function _roll(uint256 blockNumber) private {
        VmRoll(address(vm)).roll(blockNumber);
    }
}
