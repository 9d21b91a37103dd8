// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICourt, Stage, Vote} from "../../src/interfaces/ICourt.sol";
import {Assignment, Receipt} from "../../src/libraries/Signed.sol";
import {Disputes} from "../utils/Disputes.sol";
import {vm} from "../utils/Vm.sol";

/// @notice More taken than a deed costs, counted where the stake is: evidence shown again, cases closed again, fines and credits
/// taken again. RepeatedEvidenceAttack has the court alone.
contract OverSlashAttack is Disputes {
    function report(Assignment calldata given, bytes32 first, bytes32 second) external {
        _reportMiner(given, first, second);
    }

    /// @dev Three results of one assignment, in all their pairs: half, once.
    function test_oneAssignmentsResultsTakeHalfOnce() public {
        Assignment memory given = _assignment(1);
        bytes32[3] memory outputs = [sha256("one"), sha256("two"), sha256("three")];
        _reportMiner(given, outputs[0], outputs[1]);
        vm.assertEq(_atRisk(miner), MINER_BOND / 2, "half");
        bytes32 key = keccak256(abi.encode("results", court.assignmentDigest(given)));
        for (uint256 i = 0; i < 9; ++i) {
            if (i / 3 == i % 3) continue;
            vm.expectRevert(abi.encodeWithSelector(ICourt.Consumed.selector, key));
            this.report(given, outputs[i / 3], outputs[i % 3]);
        }
        vm.assertEq(_atRisk(miner), MINER_BOND / 2, "once");
    }

    function test_oneAttemptsAssignmentsTakeATwentiethOnce() public {
        Assignment memory first = _assignment(1);
        Assignment memory second = _assignment(1);
        second.miner = jurors[0];
        _reportCoordinator(first, second);
        vm.assertEq(_atRisk(coordinator), COORDINATOR_BOND * 95 / 100, "a twentieth");
        second.miner = jurors[1];
        vm.expectPartialRevert(ICourt.Consumed.selector);
        this.reportCoordinator(first, second);
        vm.expectPartialRevert(ICourt.Consumed.selector);
        this.reportCoordinator(second, first);
        vm.assertEq(_atRisk(coordinator), COORDINATOR_BOND * 95 / 100, "once");
    }

    function reportCoordinator(Assignment calldata first, Assignment calldata second) external {
        _reportCoordinator(first, second);
    }

    function _reportCoordinator(Assignment memory first, Assignment memory second) private {
        bytes memory one = _sign(_operatorKey(coordinator, 0), court.assignmentDigest(first));
        bytes memory two = _sign(_operatorKey(coordinator, 0), court.assignmentDigest(second));
        court.reportCoordinator(first, one, second, two);
    }

    /// @dev A closed case is closed: nothing about it can be done again, and its receipt opens none.
    function test_aVerdictTakesATenthOnce() public {
        Receipt memory receipt = _receipt(1);
        uint256 caseId = _challenge(receipt);
        _judge(caseId, Vote.Invalid);
        vm.assertEq(_atRisk(miner), MINER_BOND * 9 / 10, "a tenth");
        bytes memory closed = abi.encodeWithSelector(ICourt.StageInvalid.selector, caseId, Stage.Closed);
        vm.expectRevert(closed);
        court.conclude(caseId);
        vm.expectRevert(closed);
        court.seal(caseId, "");
        vm.expectRevert(closed);
        court.appeal{value: 0}(caseId, Vote.Valid);
        vm.deal(challenger, 1_000 ether);
        bytes32 key = keccak256(abi.encode("output", court.assignmentDigest(receipt.assignment)));
        vm.expectRevert(abi.encodeWithSelector(ICourt.Consumed.selector, key));
        vm.prank(challenger);
        court.challenge{value: 1_000 ether}(receipt, _evidence());
        vm.assertEq(_atRisk(miner), MINER_BOND * 9 / 10, "once");
    }

    /// @dev Receipts of one cause, all challenged before the first verdict: never over three tenths together.
    function test_receiptsOfOneCauseTakeThreeTenthsTogether() public {
        uint256[5] memory cases;
        for (uint256 i = 0; i < cases.length; ++i) {
            cases[i] = _challenge(i + 1);
        }
        _passLive(court.sealSeconds());
        for (uint256 i = 0; i < cases.length; ++i) {
            court.seal(cases[i], "");
            _commitAll(cases[i]);
        }
        _passLive(court.commitSeconds());
        for (uint256 i = 0; i < cases.length; ++i) {
            _revealAll(cases[i]);
        }
        _passLive(court.revealSeconds());
        for (uint256 i = 0; i < cases.length; ++i) {
            court.conclude(cases[i]);
        }
        _passLive(court.appealSeconds());
        for (uint256 i = 0; i < cases.length; ++i) {
            court.conclude(cases[i]);
        }
        vm.assertEq(_atRisk(miner), MINER_BOND * 7 / 10, "three tenths");
    }

    /// @dev A juror's fine, its pay and the challenger's cut come once.
    function test_finesAndPayComeOnce() public {
        address silent = jurors[6];
        jurors.pop();
        uint256 caseId = _challenge(1);
        _judge(caseId, Vote.Invalid);
        uint256 fineWei = court.fine(caseId, 0, silent);
        vm.assertEq(_atRisk(silent), MINER_BOND - fineWei, "fined");
        vm.assertEq(fineWei, 200 ether, "a hundredth of a seat's 20,000");
        vm.expectRevert(abi.encodeWithSelector(ICourt.NotFinable.selector, caseId, 0, silent));
        court.fine(caseId, 0, silent);
        vm.assertEq(_atRisk(silent), MINER_BOND - fineWei, "once");
        vm.expectRevert(abi.encodeWithSelector(ICourt.NotFinable.selector, caseId, 0, jurors[0]));
        court.fine(caseId, 0, jurors[0]);

        court.creditJuror(caseId, 0, jurors[0]);
        vm.expectRevert(abi.encodeWithSelector(ICourt.NotPayable.selector, caseId, 0, jurors[0]));
        court.creditJuror(caseId, 0, jurors[0]);
        _skip(THAW);
        vm.startPrank(challenger);
        court.withdrawCut(caseId, payable(challenger));
        vm.expectRevert(abi.encodeWithSelector(ICourt.NothingToWithdraw.selector, challenger));
        court.withdrawCut(caseId, payable(challenger));
        vm.stopPrank();
    }

    function _commitAll(uint256 caseId) private {
        for (uint256 i = 0; i < jurors.length; ++i) {
            bytes32 commitment = court.commitmentOf(caseId, 0, jurors[i], Vote.Invalid, bytes32(i));
            vm.prank(jurors[i]);
            court.commit(caseId, jurors[i], commitment);
        }
    }

    function _revealAll(uint256 caseId) private {
        for (uint256 i = 0; i < jurors.length; ++i) {
            vm.prank(jurors[i]);
            court.reveal(caseId, jurors[i], Vote.Invalid, bytes32(i));
        }
    }
}
