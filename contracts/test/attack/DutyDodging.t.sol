// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking} from "../../src/interfaces/IStaking.sol";
import {ICourt} from "../../src/interfaces/ICourt.sol";
import {CourtBase} from "../utils/CourtBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice A juror changes its bond so that its seats cannot be computed any more.
contract DutyDodgingAttack is CourtBase {
    function test_whoIsSummonedStaysSummoned() public {
        uint256 caseId = _challenge(1);
        _seal(caseId);
        vm.prank(stranger);
        court.summon(caseId, jurors[0]);
        staking.forget(jurors[0], court.getRound(caseId, 0).referenceEpoch);
        staking.forget(jurors[1], court.getRound(caseId, 0).referenceEpoch);

        vm.assertEq(court.getSeat(caseId, 0, jurors[0]).seats, 1, "pinned");
        _skip(COMMIT + REVEAL);
        vm.assertEq(court.fine(caseId, 0, jurors[0]), 200 ether, "fined");
        // Unpinned: it is told, and not computed from something else.
        bytes memory reason = abi.encodeWithSelector(IStaking.ParameterInvalid.selector, "epoch");
        vm.expectRevert(reason);
        court.getSeat(caseId, 0, jurors[1]);
        vm.expectRevert(reason);
        court.fine(caseId, 0, jurors[1]);
    }

    /// @dev Leaving after the reference epoch ends no duty.
    function test_leavingEndsNoDuty() public {
        uint256 caseId = _challenge(1);
        _seal(caseId);
        staking.setBondAt(jurors[0], staking.currentEpoch(), 0);
        vm.assertEq(court.getSeat(caseId, 0, jurors[0]).seats, 1, "seats");
        _skip(COMMIT + REVEAL);
        vm.assertEq(court.fine(caseId, 0, jurors[0]), 200 ether, "fined");
    }
}
