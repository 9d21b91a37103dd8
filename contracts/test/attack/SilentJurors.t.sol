// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICourt, Stage, Verdict} from "../../src/interfaces/ICourt.sol";
import {CourtBase} from "../utils/CourtBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Denying a quorum by silence.
contract SilentJurorsAttack is CourtBase {
    function test_silenceCostsInEveryRoundAndStopsNothing() public {
        uint256 caseId = _challenge(1);
        uint256 before = _bondOf(jurors[0]);
        uint256 finedWei;
        for (uint8 round = 0; round < 3; ++round) {
            _hear(caseId, 0, 0, 0);
            finedWei += court.fine(caseId, round, jurors[0]);
            vm.assertFalse(staking.isActive(jurors[0]), "earns nothing until it returns");
        }
        _assertVerdict(caseId, Verdict.Undecided, "undecided");
        vm.assertEq(before - _bondOf(jurors[0]), finedWei, "fined thrice");
        // 1 % of 20,000; 5 % of two or three of 14,000; 20 % of nine of 3,333.
        vm.assertTrue(finedWei >= 200 ether + 1_400 ether + 5_999 ether, "rising");
        vm.assertEq(court.creditOf(challenger), 7 * FEE, "the challenger loses nothing to silence");
        _assertSolvent();
    }

    /// @dev Two thirds are silent: a third decides.
    function test_aThirdIsEnough() public {
        uint256 caseId = _challenge(1);
        _hear(caseId, 0, 3, 0);
        _assertStage(caseId, Stage.Appealing, "quorum");
        _assertVerdict(caseId, Verdict.Invalid, "convicted");
        for (uint256 i = 3; i < JURORS; ++i) {
            court.fine(caseId, 0, jurors[i]);
        }
    }

    /// @dev To commit and not to reveal is silence.
    function test_aCommitmentIsNoVote() public {
        uint256 caseId = _challenge(1);
        _seal(caseId);
        for (uint256 i = 0; i < JURORS; ++i) {
            vm.prank(jurors[i]);
            court.commit(caseId, jurors[i], keccak256("never to be shown"));
        }
        _skip(COMMIT + REVEAL);
        vm.assertEq(court.fine(caseId, 0, jurors[0]), 200 ether, "fined before the tally");
        court.conclude(caseId);
        _assertStage(caseId, Stage.Sealing, "next size");
        vm.assertEq(court.fine(caseId, 0, jurors[1]), 200 ether, "fined after it");
        vm.expectRevert(abi.encodeWithSelector(ICourt.NotFinable.selector, caseId, 0, jurors[0]));
        court.fine(caseId, 0, jurors[0]);
    }
}
