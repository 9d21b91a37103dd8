// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICourt, Stage} from "../../src/interfaces/ICourt.sol";
import {CourtBase} from "../utils/CourtBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice When gaps count.
contract CourtClockTest is CourtBase {
    function test_anHourIsNoGap() public {
        _skip(1 hours);
        vm.recordLogs();
        court.pulse();
        vm.assertEq(vm.getRecordedLogs().length, 0, "no event");
        _skip(1 hours + 1);
        vm.expectEmit(address(court));
        emit ICourt.Pulsed(1 hours + 1);
        court.pulse();
    }

    function test_timeLostBeforeTheSealingDoesNotCount() public {
        uint256 caseId = _challenge(1);
        _skip(5 hours);
        court.seal(caseId, "");
        vm.assertEq(uint256(court.getRound(caseId, 0).commitEndsAt), _now() + COMMIT, "commit ends");
    }

    function test_windowsGrowAtMostTwofold() public {
        uint256 caseId = _challenge(1);
        _seal(caseId);
        uint64 sealedAt = _now();
        _skip(5 hours);
        ICourt.RoundView memory round = court.getRound(caseId, 0);
        vm.assertEq(uint256(round.commitEndsAt), sealedAt + 2 * COMMIT, "commit");
        vm.assertEq(uint256(round.revealEndsAt), sealedAt + 2 * (COMMIT + REVEAL), "reveal");
        court.conclude(caseId);
        _hear(caseId, 7, 0, 0);
        uint64 concludedAt = _now();
        _skip(5 hours);
        vm.assertEq(uint256(court.getRound(caseId, 1).appealEndsAt), concludedAt + 2 * APPEAL, "appeal");
        _assertStage(caseId, Stage.Due, "stage");
    }
}
