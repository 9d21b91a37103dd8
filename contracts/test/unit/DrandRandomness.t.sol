// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {DrandRandomness} from "../../src/DrandRandomness.sol";
import {IRandomness} from "../../src/interfaces/IRandomness.sol";
import {BN254} from "../../src/libraries/BN254.sol";
import {Evmnet} from "../utils/Evmnet.sol";
import {Vm, vm} from "../utils/Vm.sol";

interface VmMock {
    function mockCall(address callee, bytes calldata data, bytes calldata answer) external;
}

contract DrandRandomnessTest {
    uint64 private constant LAST = type(uint64).max;

    DrandRandomness private beacon;
    Evmnet.Round private first;
    Evmnet.Round private latest;

    function setUp() public {
        beacon = new DrandRandomness(Evmnet.groupKey(), Evmnet.GENESIS, Evmnet.PERIOD);
        Evmnet.Round[] memory rounds = Evmnet.rounds();
        (first, latest) = (rounds[0], rounds[rounds.length - 1]);
        vm.warp(Evmnet.timeOf(latest.number));
    }

    function test_parametersAreReadBack() public view {
        vm.assertEq(keccak256(abi.encode(beacon.groupKey())), keccak256(abi.encode(Evmnet.groupKey())), "key");
        vm.assertEq(beacon.genesisAt(), Evmnet.GENESIS, "genesis");
        vm.assertEq(beacon.periodSeconds(), Evmnet.PERIOD, "period");
    }

    function test_publishedRoundsAreSealed() public {
        Evmnet.Round[] memory rounds = Evmnet.rounds();
        for (uint256 i; i < rounds.length; i++) {
            bytes32 seed = keccak256(rounds[i].signature);
            vm.assertEq(beacon.seedOf(rounds[i].number), bytes32(0), "before");
            vm.expectEmit(address(beacon));
            emit IRandomness.Sealed(rounds[i].number, seed);
            vm.assertEq(beacon.seal(rounds[i].number, rounds[i].signature), seed, "returned");
            vm.assertEq(beacon.seedOf(rounds[i].number), seed, "stored");
        }
    }

    function test_aSealedRoundNeedsNoProof() public {
        bytes32 seed = beacon.seal(latest.number, latest.signature);
        vm.assertEq(beacon.seal(latest.number, ""), seed, "whatever the proof");
    }

    // ---- when ----

    function test_roundAtIsTheFirstAtOrAfter() public view {
        uint64 due = Evmnet.timeOf(latest.number);
        vm.assertEq(beacon.roundAt(0), 1, "long before");
        vm.assertEq(beacon.roundAt(Evmnet.GENESIS - 1), 1, "before");
        vm.assertEq(beacon.roundAt(Evmnet.GENESIS), 1, "genesis");
        vm.assertEq(beacon.roundAt(Evmnet.GENESIS + 1), 2, "a second after");
        vm.assertEq(beacon.roundAt(Evmnet.GENESIS + Evmnet.PERIOD), 2, "a period after");
        vm.assertEq(beacon.roundAt(due - 1), latest.number, "a second earlier");
        vm.assertEq(beacon.roundAt(due), latest.number, "its time");
        vm.assertEq(beacon.roundAt(due + 1), latest.number + 1, "a second later");
    }

    function test_roundIsSealedFromItsTimeOn() public {
        uint64 due = Evmnet.timeOf(latest.number);
        vm.warp(due - 1);
        vm.expectRevert(abi.encodeWithSelector(IRandomness.RoundNotReached.selector, latest.number, due));
        beacon.seal(latest.number, latest.signature);
        vm.warp(due);
        beacon.seal(latest.number, latest.signature);
    }

    function test_roundsBeyondTimeAreNotReached() public {
        vm.expectRevert(abi.encodeWithSelector(IRandomness.RoundNotReached.selector, LAST, LAST));
        beacon.seal(LAST, latest.signature);
    }

    function test_roundZeroDoesNotExist() public {
        _assertInvalid(0, latest.signature);
        _assertInvalid(0, first.signature);
    }

    // ---- what is no proof ----

    function test_signatureOfAnotherRoundIsInvalid() public {
        _assertInvalid(latest.number - 1, latest.signature);
        _assertInvalid(1, latest.signature);
    }

    function test_signatureUnderAnotherKeyIsInvalid() public {
        DrandRandomness other =
            new DrandRandomness([BN254.G2_X1, BN254.G2_X0, BN254.G2_Y1, BN254.G2_Y0], Evmnet.GENESIS, Evmnet.PERIOD);
        vm.expectRevert(abi.encodeWithSelector(IRandomness.ProofInvalid.selector, latest.number));
        other.seal(latest.number, latest.signature);
    }

    function test_otherLengthsAreInvalid() public {
        _assertInvalid(latest.number, "");
        _assertInvalid(latest.number, hex"00");
        _assertInvalid(latest.number, abi.encodePacked(bytes32(latest.signature)));
        _assertInvalid(latest.number, abi.encodePacked(latest.signature, uint8(0)));
        _assertInvalid(latest.number, abi.encodePacked(uint8(4), latest.signature));
        _assertInvalid(latest.number, abi.encodePacked(latest.signature, bytes32(0)));
    }

    function test_infinityIsInvalid() public {
        _assertInvalid(latest.number, abi.encode(0, 0));
        _assertInvalid(latest.number, abi.encode(BN254.P, BN254.P));
    }

    /// @dev The same point in other words: a coordinate and P more of it.
    function test_otherEncodingsAreInvalid() public {
        (uint256 x, uint256 y) = abi.decode(latest.signature, (uint256, uint256));
        _assertInvalid(latest.number, abi.encode(x + BN254.P, y));
        _assertInvalid(latest.number, abi.encode(x, y + BN254.P));
    }

    function test_pointsOffTheCurveAreInvalid() public {
        (uint256 x, uint256 y) = abi.decode(latest.signature, (uint256, uint256));
        _assertInvalid(latest.number, abi.encode(x, y ^ 1));
        _assertInvalid(latest.number, abi.encode(x ^ 1, y));
        _assertInvalid(latest.number, abi.encode(y, x));
        _assertInvalid(latest.number, abi.encode(0, 1));
        _assertInvalid(latest.number, abi.encode(type(uint256).max, type(uint256).max));
    }

    /// @dev The precompile would take all gas with a point off the curve, and the caller would not learn why.
    function test_badPointCostsLittle() public {
        uint256 before = gasleft();
        _assertInvalid(latest.number, abi.encode(0, 1));
        vm.assertLt(before - gasleft(), 60_000, "gas");
    }

    // ---- keys ----

    function test_keysThatAreNoPointAreRefused() public {
        uint256[4] memory key = Evmnet.groupKey();
        _assertKeyInvalid([uint256(0), 0, 0, 0]);
        _assertKeyInvalid([key[1], key[0], key[3], key[2]]);
        _assertKeyInvalid([key[0], key[1], key[2], key[3] + 1]);
        _assertKeyInvalid([key[0] + BN254.P, key[1], key[2], key[3]]);
    }

    /// @dev A point of the twist with x = 1, but of another order: signatures are unique under keys of the subgroup.
    function test_keyOutsideTheSubgroupIsRefused() public {
        _assertKeyInvalid(
            [
                0,
                1,
                0x2351dcdda257b62181cbd745dfee16d5fdf4eb185bbcf33c20a0fe6eaa9cb4a3,
                0x07fb3d558dafafb6bf6dd326a5fefe0beca3f9ac3bd999a390d504fad34b0b8c
            ]
        );
    }

    /// @dev A call to an address without code succeeds and answers nothing: that must not count as yes.
    function test_chainWithoutPrecompilesIsRefused() public {
        VmMock(address(vm)).mockCall(address(8), "", "");
        _assertKeyInvalid(Evmnet.groupKey());
        vm.expectRevert(abi.encodeWithSelector(BN254.PrecompileFailed.selector, address(8)));
        beacon.seal(latest.number, latest.signature);
        vm.assertEq(beacon.seedOf(latest.number), bytes32(0), "unsealed");
    }

    function test_periodZeroIsRefused() public {
        vm.expectRevert(DrandRandomness.PeriodInvalid.selector);
        new DrandRandomness(Evmnet.groupKey(), Evmnet.GENESIS, 0);
    }

    function _assertKeyInvalid(uint256[4] memory key) private {
        vm.expectRevert(DrandRandomness.GroupKeyInvalid.selector);
        new DrandRandomness(key, Evmnet.GENESIS, Evmnet.PERIOD);
    }

    function _assertInvalid(uint64 round, bytes memory proof) private {
        vm.expectRevert(abi.encodeWithSelector(IRandomness.ProofInvalid.selector, round));
        beacon.seal(round, proof);
    }
}

/// @notice What sealing costs as a whole transaction; see GasTest.
/// forge-config: default.isolate = true
/// forge-config: deep.isolate = true
contract RandomnessGasTest {
    function test_seal() public {
        vm.skip(vm.isContext(Vm.ForgeContext.Coverage));
        DrandRandomness beacon = new DrandRandomness(Evmnet.groupKey(), Evmnet.GENESIS, Evmnet.PERIOD);
        Evmnet.Round[] memory rounds = Evmnet.rounds();
        vm.warp(Evmnet.timeOf(rounds[6].number));
        // Its maps take the first and the third candidate: four of at most six roots.
        beacon.seal(rounds[6].number, rounds[6].signature);
        vm.assertLe(vm.snapshotGasLastCall("gas", "seal a round"), 200_000, "seal a round");
        beacon.seal(rounds[6].number, rounds[6].signature);
        vm.assertLe(vm.snapshotGasLastCall("gas", "seal a sealed round"), 30_000, "seal a sealed round");
    }
}
