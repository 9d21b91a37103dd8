// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {CourtParameters, ICourt, Stage, Verdict, Vote} from "../../src/interfaces/ICourt.sol";
import {CourtBase} from "../utils/CourtBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice The chain stands still through a window, or the seed never comes.
contract SequencerGapAttack is CourtBase {
    uint64 private constant WINDOW = 12 hours;

    function _parameters() internal pure override returns (CourtParameters memory parameters) {
        parameters = super._parameters();
        (parameters.commitSeconds, parameters.revealSeconds, parameters.appealSeconds) = (WINDOW, WINDOW, WINDOW);
    }

    /// @dev The chain lives: somebody calls every half hour.
    function _live(uint256 elapsed) private {
        uint256 until = vm.getBlockTimestamp() + elapsed;
        while (vm.getBlockTimestamp() + 30 minutes < until) {
            _skip(30 minutes);
            court.pulse();
        }
        vm.warp(until);
        court.pulse();
    }

    function test_aHaltLengthensTheCommitWindow() public {
        uint256 caseId = _challenge(1);
        _seal(caseId);
        _live(10 hours);
        _skip(5 hours);
        _assertStage(caseId, Stage.Committing, "over by the clock, not by the chain");
        _commit(caseId, jurors[0], Vote.Valid);
        _live(2 hours - 1);
        _assertStage(caseId, Stage.Committing, "12 hours that the chain lived");
        _live(1);
        _assertStage(caseId, Stage.Revealing, "and no more");
    }

    function test_aHaltLengthensTheRevealWindow() public {
        uint256 caseId = _challenge(1);
        _seal(caseId);
        _commit(caseId, jurors[0], Vote.Valid);
        _live(WINDOW + 1 hours);
        _skip(WINDOW);
        _assertStage(caseId, Stage.Revealing, "over by the clock, not by the chain");
        _reveal(caseId, jurors[0], Vote.Valid);
        _live(11 hours - 1);
        _assertStage(caseId, Stage.Revealing, "12 hours that the chain lived");
        vm.expectRevert(abi.encodeWithSelector(ICourt.NotFinable.selector, caseId, 0, jurors[1]));
        court.fine(caseId, 0, jurors[1]);
        _live(1);
        _assertStage(caseId, Stage.Due, "and no more");
    }

    function test_aHaltLengthensTheAppealWindow() public {
        uint256 caseId = _challenge(1);
        _seal(caseId);
        for (uint256 i = 0; i < JURORS; ++i) {
            _commit(caseId, jurors[i], Vote.Valid);
        }
        _live(WINDOW);
        for (uint256 i = 0; i < JURORS; ++i) {
            _reveal(caseId, jurors[i], Vote.Valid);
        }
        _live(WINDOW);
        court.conclude(caseId);
        _live(11 hours);
        _skip(6 hours);
        vm.expectRevert(abi.encodeWithSelector(ICourt.StageInvalid.selector, caseId, Stage.Appealing));
        court.conclude(caseId);
        _appeal(caseId, appellant, Vote.Invalid);
    }

    /// @dev A week without a block: the windows are twice as long, not a week.
    function test_atMostTwofold() public {
        uint256 caseId = _challenge(1);
        _seal(caseId);
        _skip(4 * WINDOW - 1);
        _assertStage(caseId, Stage.Revealing, "the last second");
        _skip(1);
        _assertStage(caseId, Stage.Due, "over");
    }

    /// @dev Who pulses cannot shorten a window below its length.
    function test_pulsesShortenNothing() public {
        uint256 caseId = _challenge(1);
        _seal(caseId);
        _live(WINDOW - 1);
        _assertStage(caseId, Stage.Committing, "its full length");
    }

    /// @dev Whatever the gaps: no transaction finds a stage earlier than one before it. Else a juror could commit after it saw
    /// others reveal.
    function testFuzz_aWindowThatIsOverStaysOver(uint256 seed) public {
        uint256 caseId = _challenge(1);
        _seal(caseId);
        uint256 sealedAt = vm.getBlockTimestamp();
        uint256 stage = uint256(Stage.Committing);
        for (uint256 i = 0; i < 24; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            // Under the hour, just around it, or far over it.
            uint256 kind = seed % 4;
            _skip(kind < 2 ? seed / 4 % 1 hours : kind == 2 ? 1 hours - 2 + seed / 4 % 4 : seed / 4 % 6 hours);
            uint256 now_ = uint256(court.getDispute(caseId).stage);
            court.pulse();
            vm.assertEq(uint256(court.getDispute(caseId).stage), now_, "a view sees what a transaction finds");
            vm.assertGe(now_, stage, "back in time");
            stage = now_;
        }
        ICourt.RoundView memory round = court.getRound(caseId, 0);
        vm.assertGe(round.commitEndsAt, sealedAt + WINDOW, "at least its length");
        vm.assertLe(round.commitEndsAt, sealedAt + 2 * WINDOW, "at most twice");
        vm.assertLe(round.revealEndsAt, sealedAt + 4 * WINDOW, "at most twice");
    }

    function test_theSeedNeverComes() public {
        uint256 caseId = _challenge(1);
        _skip(SEAL + THAW + 1);
        court.conclude(caseId);
        _assertVerdict(caseId, Verdict.Undecided, "undecided");
        vm.prank(challenger);
        vm.assertEq(court.withdraw(payable(challenger)), 7 * FEE, "bond back");
        vm.assertEq(_bondOf(miner), BOND, "nobody is slashed");
    }

    /// @dev The seed of an appeal never comes: what stood before does not become final by that; bonds go back, jurors are paid.
    function test_theSeedOfAnAppealNeverComes() public {
        uint256 caseId = _challenge(1);
        _seal(caseId);
        for (uint256 i = 0; i < 4; ++i) {
            _commit(caseId, jurors[i], Vote.Invalid);
        }
        _live(WINDOW);
        for (uint256 i = 0; i < 4; ++i) {
            _reveal(caseId, jurors[i], Vote.Invalid);
        }
        _live(WINDOW);
        court.conclude(caseId);
        _appeal(caseId, appellant, Vote.Valid);
        _skip(SEAL + THAW + 1);
        court.conclude(caseId);
        _assertVerdict(caseId, Verdict.Undecided, "undecided");
        vm.assertEq(court.creditOf(appellant), 30 * FEE, "appellant");
        vm.assertEq(court.creditOf(challenger), 3 * FEE, "challenger");
        vm.assertEq(court.creditJuror(caseId, 0, jurors[0]), FEE, "juror");
        _assertSolvent();
    }
}
