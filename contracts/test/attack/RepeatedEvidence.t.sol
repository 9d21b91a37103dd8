// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Evidence, ICourt} from "../../src/interfaces/ICourt.sol";
import {Assignment, Receipt, Result} from "../../src/libraries/Signed.sol";
import {CourtBase} from "../utils/CourtBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Slashing more than once for one deed.
contract RepeatedEvidenceAttack is CourtBase {
    function test_resultsOfOneAssignmentCostOnce() public {
        Assignment memory assignment = _assignment(1);
        bytes32 digest = court.assignmentDigest(assignment);
        bytes32[3] memory outputs = [sha256("one"), sha256("two"), sha256("three")];
        _reportMiner(assignment, outputs[0], outputs[1], "");
        uint256 leftWei = _bondOf(miner);
        bytes memory reason = abi.encodeWithSelector(ICourt.Consumed.selector, keccak256(abi.encode("results", digest)));
        for (uint256 i = 0; i < 3; ++i) {
            for (uint256 j = 0; j < 3; ++j) {
                if (i != j) _reportMiner(assignment, outputs[i], outputs[j], reason);
            }
        }
        vm.assertEq(_bondOf(miner), leftWei, "slashed once");
    }

    /// @dev Expects `reason`, if there is one.
    function _reportMiner(Assignment memory assignment, bytes32 first, bytes32 second, bytes memory reason) private {
        bytes32 digest = court.assignmentDigest(assignment);
        bytes memory given = _sign(coordinator, digest);
        Result memory one = Result(digest, first, 1, 1);
        Result memory two = Result(digest, second, 1, 1);
        bytes memory oneSigned = _sign(miner, court.resultDigest(one));
        bytes memory twoSigned = _sign(miner, court.resultDigest(two));
        if (reason.length != 0) vm.expectRevert(reason);
        court.reportMiner(assignment, given, one, oneSigned, two, twoSigned);
    }

    /// @dev Three miners for one attempt are one lie of the coordinator, in whichever pairs it is shown.
    function test_assignmentsOfOneAttemptCostOnce() public {
        Assignment[3] memory given = [_assignment(1), _assignment(1), _assignment(1)];
        given[1].miner = otherMiner;
        given[2].miner = jurors[0];
        _reportCoordinator(given[0], given[1], "");
        uint256 leftWei = _bondOf(coordinator);
        bytes memory reason = abi.encodeWithSelector(
            ICourt.Consumed.selector,
            keccak256(abi.encode("assignments", coordinator, given[0].taskId, given[0].attempt))
        );
        for (uint256 i = 0; i < 3; ++i) {
            for (uint256 j = 0; j < 3; ++j) {
                if (i != j) _reportCoordinator(given[i], given[j], reason);
            }
        }
        vm.assertEq(_bondOf(coordinator), leftWei, "slashed once");
        given[0].attempt = 2;
        given[1].attempt = 2;
        _reportCoordinator(given[0], given[1], "");
    }

    function _reportCoordinator(Assignment memory first, Assignment memory second, bytes memory reason) private {
        bytes memory one = _sign(coordinator, court.assignmentDigest(first));
        bytes memory two = _sign(coordinator, court.assignmentDigest(second));
        if (reason.length != 0) vm.expectRevert(reason);
        court.reportCoordinator(first, one, second, two);
    }

    /// @dev Another result of the same assignment asks about the same assignment.
    function test_oneFinalVerdictPerAssignment() public {
        Assignment memory assignment = _assignment(1);
        Receipt memory receipt = _receipt(assignment, _evidence().output);
        Evidence memory other = _evidence();
        other.output = "[7,8,9]";
        Receipt memory second = _receipt(assignment, other.output);
        bytes32 key = keccak256(abi.encode("output", receipt.result.assignment));

        uint256 caseId = _challenge(receipt);
        bytes memory open = abi.encodeWithSelector(ICourt.AlreadyOpen.selector, key, caseId);
        _refuseChallenge(receipt, _evidence(), open);
        _refuseChallenge(second, other, open);
        _hear(caseId, 0, 7, 0);
        _close(caseId);
        uint256 leftWei = _bondOf(miner);
        bytes memory consumed = abi.encodeWithSelector(ICourt.Consumed.selector, key);
        _refuseChallenge(receipt, _evidence(), consumed);
        _refuseChallenge(second, other, consumed);
        vm.assertEq(_bondOf(miner), leftWei, "slashed once");
    }

    /// @dev Two different deeds about one assignment are two cases.
    function test_aReportDoesNotShieldFromADispute() public {
        Assignment memory assignment = _assignment(1);
        Receipt memory receipt = _receipt(assignment, _evidence().output);
        _reportMiner(assignment, receipt.result.outputHash, sha256("two"), "");
        uint256 caseId = _challenge(receipt);
        vm.assertEq(caseId, 2, "case");
        _hear(caseId, 0, 7, 0);
        _close(caseId);
        vm.assertEq(_bondOf(miner), BOND / 2 * 9 / 10, "half, then a tenth");
    }

    function _refuseChallenge(Receipt memory receipt, Evidence memory evidence, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(challenger);
        court.challenge{value: 1_000 ether}(receipt, evidence);
    }
}
