// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Role} from "../../src/interfaces/IStaking.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice A node convicts itself, as the reporter of its own deed, to take its voters' money home in the reporter's cut.
contract SelfReportVotersAttack is TestBase {
    function setUp() public override {
        super.setUp();
        _registerMiner(alice);
        _vote(bob, alice, 16 * MINER_BOND);
    }

    /// @dev The court's cut is of the bond part alone; all that voters lose goes to the reward pool.
    function test_votersPartGoesToThePoolWhole() public {
        vm.prank(court);
        (uint256 takenWei, uint256 paidWei) = staking.slash(alice, MINER_BOND / 10, 0, 2_500, 1);
        uint256 votersLossWei = 16 * MINER_BOND - _votesOf(bob, alice);
        vm.assertApproxEqAbs(votersLossWei, 16 * MINER_BOND / 100, 1, "a hundredth of the votes");
        vm.assertEq(paidWei, takenWei / 4, "a quarter of the bond part");
        vm.assertEq(staking.undistributedWei(), takenWei - paidWei + 16 * MINER_BOND / 100, "all else to the pool");
    }

    /// @dev Whatever it asks for, a self-report costs the owner at least three quarters of what it loses, and far more than it
    /// could win of the pool: that is halved and flows to all.
    function testFuzz_aSelfReportNeverPays(uint256 bondSeed, uint256 cutSeed) public {
        uint256 bondWei = _bound(bondSeed, 1, MINER_BOND);
        uint256 before = court.balance;
        vm.prank(court);
        (uint256 takenWei,) = staking.slash(alice, bondWei, 0, uint16(_bound(cutSeed, 0, 2_500)), 1);
        vm.assertLe((court.balance - before) * 4, takenWei, "the cut");
    }

    /// @dev What is taken flows to both streams and waits for their next period, so jurors and accusers have little of it, late.
    function test_thePoolDoesNotFlowBackAtOnce() public {
        _registerMiner(carol);
        _fundStream(Role.Miner, STREAM);
        _slash(alice, MINER_BOND);
        staking.pour();
        vm.assertEq(staking.getStream(Role.Miner).rateWei, 1 ether, "the present rate");
        _skip(PERIOD - 1);
        vm.assertLe(staking.rewardsOf(carol), STREAM, "nothing of it in this period");
    }
}
