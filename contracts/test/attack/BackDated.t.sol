// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICourt} from "../../src/interfaces/ICourt.sol";
import {Assignment, Receipt} from "../../src/libraries/Signed.sol";
import {CourtBase} from "../utils/CourtBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Presenting old deeds when the stake behind them may be gone, and inventing deeds with an old key.
contract BackDatedAttack is CourtBase {
    /// @dev A result carries no time of its own: made later, it is as old as its assignment.
    function test_afterTheEvidenceTimeNothingIsAccepted() public {
        Assignment memory assignment = _assignment(1);
        _skip(EVIDENCE);
        Receipt memory receipt = _receipt(assignment, _evidence().output);
        uint256 id = vm.snapshotState();
        _challenge(receipt);
        vm.revertToState(id);
        _skip(1);
        _refuse(receipt, abi.encodeWithSelector(ICourt.EvidenceExpired.selector, START + EVIDENCE));
    }

    function test_anAssignmentOfTheFutureIsNoEvidence() public {
        Assignment memory assignment = _assignment(1);
        assignment.issuedAt = START + 1;
        Receipt memory receipt = _receipt(assignment, _evidence().output);
        _refuse(receipt, abi.encodeWithSelector(ICourt.NotEvidence.selector, "issuedAt"));
        assignment.issuedAt = type(uint64).max;
        receipt = _receipt(assignment, _evidence().output);
        _refuse(receipt, abi.encodeWithSelector(ICourt.NotEvidence.selector, "issuedAt"));
    }

    /// @dev A stolen old key signs nothing that is issued after its rotation, and what was signed before still counts.
    function test_aRotatedKeyCountsForWhatWasIssuedBefore() public {
        Receipt memory before = _receipt(1);
        Receipt memory framed = _receipt(_issuedIn(1), _evidence().output);
        staking.rotate(_operator(miner), stranger);
        _skip(1);
        _refuse(framed, abi.encodeWithSelector(ICourt.SignatureInvalid.selector, _operator(miner), miner));
        _challenge(before);
    }

    function _issuedIn(uint64 inSeconds) private view returns (Assignment memory assignment) {
        assignment = _assignment(2);
        assignment.issuedAt = START + inSeconds;
    }

    function _refuse(Receipt memory receipt, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(challenger);
        court.challenge{value: 7 * FEE}(receipt, _evidence());
    }
}
