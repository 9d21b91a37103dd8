// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICourt, Vote} from "../../src/interfaces/ICourt.sol";
import {Receipt} from "../../src/libraries/Signed.sol";
import {CourtBase} from "../utils/CourtBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Steps of a record, and what is held meanwhile.
contract CourtRecordsTest is CourtBase {
    function test_stepsRiseToAll() public {
        _convict(1);
        _assertRecord(1, 1_000);
        vm.assertEq(_bondOf(miner), 27_000 ether, "10 %");
        _skip(1);
        _convict(2);
        _assertRecord(2, 5_000);
        vm.assertEq(_bondOf(miner), 13_500 ether, "50 % of what was there at the challenge");
        _skip(1);
        _convict(3);
        _assertRecord(3, 10_000);
        vm.assertEq(_bondOf(miner), 0, "all");
        _skip(1);
        vm.deal(address(this), BOND);
        staking.setNode{value: BOND}(miner, _operator(miner), staking.roleOf(miner));
        _convict(4);
        _assertRecord(3, 10_000);
        vm.assertEq(_bondOf(miner), 0, "all, each time from then on");
        _assertSolvent();
    }

    function test_atTheVeryVerdictIsNotAfterIt() public {
        _convict(1);
        uint256 caseId = _challenge(2);
        vm.assertEq(uint256(court.getDispute(caseId).issuedAt), court.getRecord(miner).stepAt, "same second");
        vm.assertEq(court.getRecord(miner).frozenWei, 2_700 ether, "holds 10 % of what is left");
        _hear(caseId, 0, 7, 0);
        _close(caseId);
        _assertRecord(1, 2_000);
    }

    function test_eachDisputeHoldsWhatItCouldTake() public {
        Receipt memory before = _receipt(9);
        _convict(1);
        _skip(1);
        uint256 second = _challenge(2);
        vm.assertEq(court.getRecord(miner).frozenWei, 13_500 ether, "50 % of 27,000");
        uint256 third = _challenge(before);
        vm.assertEq(court.getRecord(miner).frozenWei, 13_500 ether + 2_700 ether, "and 10 %");
        (uint256 frozenWei, uint64 until) = _frozenOf(miner);
        vm.assertEq(frozenWei, 16_200 ether, "passed on");
        vm.assertEq(uint256(until), _now() + court.disputeSeconds(), "until");

        _hear(second, 7, 0, 0);
        _close(second);
        (frozenWei,) = _frozenOf(miner);
        vm.assertEq(frozenWei, 2_700 ether, "the other's part stays");
        _hear(third, 0, 7, 0);
        _close(third);
        (frozenWei,) = _frozenOf(miner);
        vm.assertEq(frozenWei, 0, "nothing is held");
        _assertRecord(1, 2_000);
    }

    function _assertRecord(uint256 step, uint256 stepBps) private view {
        vm.assertEq(uint256(court.getRecord(miner).step), step, "step");
        vm.assertEq(uint256(court.getRecord(miner).stepBps), stepBps, "bps of the step");
        if (stepBps == 1_000) vm.assertEq(uint256(court.getRecord(miner).stepAt), _now(), "since the verdict");
    }
}
