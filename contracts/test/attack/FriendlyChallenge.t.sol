// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Evidence, ICourt, Verdict, Vote} from "../../src/interfaces/ICourt.sol";
import {Receipt} from "../../src/libraries/Signed.sol";
import {CourtBase} from "../utils/CourtBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice The guilty has itself challenged first, badly, so that the receipt is used up.
contract FriendlyChallengeAttack is CourtBase {
    function test_evidenceCannotBeSpoilt() public {
        Receipt memory receipt = _receipt(1);
        Evidence memory evidence = _evidence();
        evidence.input = "[0]";
        vm.expectRevert(abi.encodeWithSelector(ICourt.HashMismatch.selector, "input"));
        vm.prank(miner);
        court.challenge(receipt, evidence);
    }

    /// @dev The friend says nothing; jurors got everything from the challenge, and anybody adds and appeals.
    function test_anybodyCarriesTheCaseOn() public {
        vm.deal(miner, 7 * FEE);
        Receipt memory receipt = _receipt(1);
        vm.prank(miner);
        uint256 caseId = court.challenge{value: 7 * FEE}(receipt, _evidence());
        vm.prank(stranger);
        court.addEvidence(caseId, "position 3 is impossible");
        _hear(caseId, 4, 3, 0);
        _appeal(caseId, stranger, Vote.Invalid);
        _hear(caseId, 0, 7, 0);
        _close(caseId);
        _assertVerdict(caseId, Verdict.Invalid, "convicted");
        vm.assertEq(_bondOf(miner), BOND * 9 / 10, "slashed");
        vm.assertEq(court.creditOf(stranger), 30 * FEE, "whoever brought it home loses nothing");
        _assertSolvent();
    }

    /// @dev A case that comes to nothing leaves the receipt to the next challenger, within the evidence time.
    function test_undecidedConsumesNothing() public {
        Receipt memory receipt = _receipt(1);
        vm.deal(miner, 7 * FEE);
        vm.prank(miner);
        uint256 caseId = court.challenge{value: 7 * FEE}(receipt, _evidence());
        _hear(caseId, 0, 0, 0);
        _hear(caseId, 0, 0, 0);
        _hear(caseId, 0, 0, 0);
        _assertVerdict(caseId, Verdict.Undecided, "undecided");
        uint256 second = _challenge(receipt);
        _hear(second, 0, 7, 0);
        _close(second);
        _assertVerdict(second, Verdict.Invalid, "convicted");
    }

    /// @dev Getting the cut of one's own conviction back costs three quarters of it, and a thaw.
    function test_theCutOfOnesOwnConvictionIsNoWayOut() public {
        vm.deal(miner, 7 * FEE);
        Receipt memory receipt = _receipt(1);
        vm.prank(miner);
        uint256 caseId = court.challenge{value: 7 * FEE}(receipt, _evidence());
        _hear(caseId, 0, 7, 0);
        _close(caseId);
        (address reporter, uint256 cutWei, uint64 releaseAt) = court.cutOf(caseId);
        vm.assertEq(reporter, miner, "reporter");
        vm.assertLe(cutWei, BOND / 40, "at most a quarter of the tenth");
        vm.assertEq(uint256(releaseAt), _now() + THAW, "as late as an exit that begins now");
    }
}
