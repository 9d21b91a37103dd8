// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking, Role} from "../../src/interfaces/IStaking.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Standing exactly on a limit: the bond's threshold is strict, votes count up to 16 times the bond.
contract ThresholdsAttack is TestBase {
    function test_exactlyTheThresholdIsNotEnough() public {
        _exactly(alice, Role.Miner, MINER_THRESHOLD);
        _exactly(bob, Role.Coordinator, COORDINATOR_THRESHOLD);
    }

    function _exactly(address owner, Role role, uint256 threshold) private {
        _register(owner, role, threshold + 1);
        vm.assertTrue(staking.isActive(owner), "one wei over");
        vm.assertEq(staking.totalWeight(role), threshold + 1, "total weight");
        vm.prank(owner);
        staking.unbond(1);
        vm.assertFalse(staking.isActive(owner), "exactly the threshold");
        vm.assertEq(staking.weightOf(owner), 0, "weight");
        vm.assertEq(staking.totalWeight(role), 0, "total weight");
        vm.assertEq(staking.activeBondAt(owner, staking.currentEpoch()), 0, "active bond");
        _stake(owner, 1);
        vm.prank(owner);
        staking.bond(1);
        vm.assertTrue(staking.isActive(owner), "one wei over again");
    }

    /// @dev Votes beyond the limit after the owner took bond out stay the voters', but carry no weight.
    function test_votesOverTheLimitAfterUnbond() public {
        _register(alice, Role.Miner, 50_000 ether);
        _vote(bob, alice, 800_000 ether);
        vm.assertEq(staking.weightOf(alice), 850_000 ether, "at the limit");
        vm.prank(alice);
        staking.unbond(25_000 ether);
        vm.assertEq(staking.weightOf(alice), 17 * 25_000 ether, "weight follows the bond");
        vm.assertEq(staking.totalWeight(Role.Miner), 17 * 25_000 ether, "total weight");
        vm.assertEq(_votesOf(bob, alice), 800_000 ether, "votes");

        _stake(carol, 1 ether);
        vm.prank(carol);
        vm.expectRevert(abi.encodeWithSelector(IStaking.VotesOverLimit.selector, 800_001 ether, 16 * 25_000 ether));
        staking.vote(alice, 1 ether, 0);

        _unvote(bob, alice, 300_000 ether * VIRTUAL_SHARES);
        vm.assertEq(staking.weightOf(alice), 17 * 25_000 ether, "still over the limit");
        _unvote(bob, alice, 200_000 ether * VIRTUAL_SHARES);
        vm.assertEq(staking.weightOf(alice), 325_000 ether, "below the limit");
    }
}
