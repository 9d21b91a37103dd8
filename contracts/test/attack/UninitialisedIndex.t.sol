// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Role} from "../../src/interfaces/IStaking.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice A node whose reward index is zero, old, or another role's, so that it earns of the time before it stood there.
contract UninitialisedIndexAttack is TestBase {
    uint256 private constant RATE = 1 ether;
    uint256 private constant WHOLE = PERIOD * RATE;
    uint256 private constant DUST = 1_000;

    /// @dev Both indexes have grown, the coordinators' a hundred times slower.
    function setUp() public override {
        super.setUp();
        _register(alice, Role.Miner, MINER_BOND, 0);
        _register(bob, Role.Coordinator, COORDINATOR_BOND, 0);
        _fundStream(Role.Miner, WHOLE);
        _fundStream(Role.Coordinator, WHOLE);
        _skip(PERIOD);
        staking.settle(alice);
        staking.settle(bob);
        _fundStream(Role.Miner, WHOLE);
        _fundStream(Role.Coordinator, WHOLE);
    }

    /// @dev Of the second that passes now, `carol`'s part by weight and not more.
    function _assertEarnsFromNow(uint256 weightWei, uint256 othersWei, string memory message) private {
        vm.assertEq(staking.rewardsOf(carol), 0, message);
        _skip(1 hours);
        staking.settle(carol);
        uint256 fairWei = 1 hours * RATE * weightWei / (weightWei + othersWei);
        vm.assertApproxEqAbs(staking.rewardsOf(carol), fairWei, DUST, message);
    }

    function test_aNewNodeStartsAtTheIndexOfItsRole() public {
        _register(carol, Role.Miner, MINER_BOND, 0);
        _assertEarnsFromNow(MINER_BOND, MINER_BOND, "miner");
    }

    function test_aNewCoordinatorStartsAtTheIndexOfItsRole() public {
        _register(carol, Role.Coordinator, COORDINATOR_BOND, 0);
        _assertEarnsFromNow(COORDINATOR_BOND, COORDINATOR_BOND, "coordinator");
    }

    function test_nothingForTheTimeAwayFromTheList() public {
        _register(carol, Role.Miner, MINER_BOND, 0);
        vm.prank(carol);
        staking.deregister();
        _skip(3 days);
        staking.settle(carol);
        _skip(1 days);
        _register(carol, Role.Miner, MINER_BOND, 0);
        _assertEarnsFromNow(MINER_BOND, MINER_BOND, "back again");
    }

    /// @dev In the other role an old index is below or above that role's; modulo 2^96 both would be a fortune.
    function test_anotherRoleIsAnotherIndex() public {
        _register(carol, Role.Miner, MINER_BOND, 0);
        vm.prank(carol);
        staking.deregister();
        _skip(3 * EPOCH);
        _register(carol, Role.Coordinator, COORDINATOR_BOND, 0);
        _assertEarnsFromNow(COORDINATOR_BOND, COORDINATOR_BOND, "from the high index to the low");
        vm.startPrank(carol);
        staking.claim(carol);
        staking.deregister();
        vm.stopPrank();
        _skip(3 * EPOCH);
        _register(carol, Role.Miner, MINER_BOND, 0);
        _assertEarnsFromNow(MINER_BOND, MINER_BOND, "and back");
    }

    /// @dev In each of these it weighs nothing meanwhile, and comes back without a settlement in between.
    function test_nothingForTheTimeWithoutWeight() public {
        _register(carol, Role.Miner, MINER_BOND, 0);
        vm.startPrank(carol);
        staking.rest(carol);
        _skip(1 days);
        staking.rejoin(carol);
        vm.assertEq(staking.rewardsOf(carol), 0, "rest");
        staking.unbond(MINER_BOND);
        vm.stopPrank();
        _skip(1 days);
        _stake(carol, MINER_BOND);
        vm.prank(carol);
        staking.bond(MINER_BOND);
        vm.assertEq(staking.rewardsOf(carol), 0, "no bond");
        _jail(carol, uint64(vm.getBlockTimestamp() + 1 days));
        _skip(1 days);
        vm.prank(carol);
        staking.rejoin(carol);
        _assertEarnsFromNow(MINER_BOND, MINER_BOND, "jail");
    }

    function test_nothingForTheTimeOfASuspension() public {
        _register(carol, Role.Coordinator, COORDINATOR_BOND, 0);
        vm.prank(epochs);
        staking.suspend(carol);
        _skip(1 days);
        vm.prank(epochs);
        staking.resume(carol);
        _assertEarnsFromNow(COORDINATOR_BOND, COORDINATOR_BOND, "suspended");
    }

    /// @dev Below its threshold it weighs nothing; votes for it neither.
    function test_votesForAnInactiveNodeEarnNothing() public {
        _register(carol, Role.Miner, MINER_BOND, 10_000);
        vm.prank(carol);
        staking.unbond(MINER_BOND - 1 ether);
        _vote(dave, carol, 16 ether);
        _skip(1 days);
        staking.settle(carol);
        vm.assertEq(_votesOf(dave, carol), 16 ether, "voter");
        vm.assertEq(staking.rewardsOf(carol), 0, "owner");
    }

    /// @dev Nobody's account, settled over and over, is nobody's node.
    function test_settlingNobody() public {
        _skip(1 days);
        staking.settle(dave);
        vm.assertEq(staking.rewardsOf(dave), 0, "rewards");
        vm.prank(dave);
        vm.assertEq(staking.claim(dave), 0, "claim");
        _register(dave, Role.Miner, MINER_BOND, 0);
        vm.assertEq(staking.rewardsOf(dave), 0, "registered");
    }
}
