// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking, Role} from "../../src/interfaces/IStaking.sol";
import {IStakingHooks} from "../../src/interfaces/IStakingHooks.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice What makes a node inactive beside its bond, whose key speaks for it, and what of its bond counted when.
contract StandingTest is TestBase {
    function setUp() public override {
        super.setUp();
        _registerMiner(alice);
    }

    // ---- rest and rejoin ----

    function test_restAndRejoin() public {
        vm.expectEmit(address(staking));
        emit IStaking.Rested(alice);
        vm.expectEmit(address(staking));
        emit IStaking.NodeWeightChanged(alice, Role.Miner, false, MINER_BOND, 0, 0);
        vm.prank(alice);
        staking.rest(alice);
        vm.assertTrue(staking.getNode(alice).away, "away");
        vm.assertFalse(staking.isActive(alice), "active");
        vm.assertEq(staking.totalWeight(Role.Miner), 0, "weight");
        vm.expectEmit(address(staking));
        emit IStaking.Rejoined(alice);
        vm.expectEmit(address(staking));
        emit IStaking.NodeWeightChanged(alice, Role.Miner, true, MINER_BOND, 0, MINER_BOND);
        vm.prank(_operator(alice));
        staking.rejoin(alice);
        vm.assertEq(staking.weightOf(alice), MINER_BOND, "weight again");
    }

    function test_restingTwiceOrActiveRejoiningChangesNothing() public {
        vm.startPrank(alice);
        staking.rejoin(alice);
        vm.assertEq(staking.totalWeight(Role.Miner), MINER_BOND, "weight");
        staking.rest(alice);
        staking.rest(alice);
        vm.assertEq(staking.totalWeight(Role.Miner), 0, "weight");
        staking.rejoin(alice);
        vm.assertEq(staking.totalWeight(Role.Miner), MINER_BOND, "weight again");
    }

    function test_onlyOwnerAndOperatorRestAndRejoin() public {
        bytes memory notActing = abi.encodeWithSelector(IStaking.NotActing.selector, bob, alice);
        vm.startPrank(bob);
        vm.expectRevert(notActing);
        staking.rest(alice);
        vm.expectRevert(notActing);
        staking.rejoin(alice);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotRegistered.selector, bob));
        staking.rest(bob);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotRegistered.selector, bob));
        staking.rejoin(bob);
    }

    // ---- jail ----

    function test_jail() public {
        vm.expectEmit(address(staking));
        emit IStaking.NodeWeightChanged(alice, Role.Miner, false, MINER_BOND, 0, 0);
        vm.expectEmit(address(staking));
        emit IStakingHooks.Jailed(alice, START + 7 days);
        _jail(alice, START + 7 days);
        vm.assertFalse(staking.isActive(alice), "active");
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IStaking.StillJailed.selector, START + 7 days));
        staking.rejoin(alice);
        _skip(7 days);
        vm.assertFalse(staking.isActive(alice), "only by itself");
        vm.prank(alice);
        staking.rejoin(alice);
        vm.assertTrue(staking.isActive(alice), "active again");
    }

    function test_jailIsNeverShortened() public {
        _jail(alice, START + 7 days);
        _jail(alice, START);
        vm.assertEq(uint256(staking.getNode(alice).jailedUntil), START + 7 days, "until");
    }

    /// @dev A silent juror may return at once, but must do so.
    function test_jailUntilNow() public {
        _jail(alice, START);
        vm.assertFalse(staking.isActive(alice), "active");
        vm.prank(alice);
        staking.rejoin(alice);
        vm.assertTrue(staking.isActive(alice), "active again");
    }

    function test_jailBeyondTimeIsClamped() public {
        _jail(alice, FOREVER);
        vm.assertEq(uint256(staking.getNode(alice).jailedUntil), type(uint32).max, "until");
    }

    function test_leavingAndComingBackDoesNotEndAJail() public {
        _jail(alice, START + 7 days);
        vm.prank(alice);
        staking.deregister();
        _registerMiner(alice);
        vm.assertFalse(staking.isActive(alice), "active");
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IStaking.StillJailed.selector, START + 7 days));
        staking.rejoin(alice);
    }

    function test_onlyTheCourtJails() public {
        vm.expectRevert(abi.encodeWithSelector(IStakingHooks.CallerInvalid.selector, address(this)));
        staking.jail(alice, START);
    }

    function test_aJailedNodeLosesNoExit() public {
        _vote(bob, alice, 10 ether);
        _jail(alice, START + 7 days);
        uint256 votes = _unvoteAll(bob, alice);
        vm.prank(alice);
        uint256 bond = staking.unbond(MINER_BOND);
        _skip(THAW);
        vm.assertEq(_withdraw(bob, votes), 10 ether, "votes");
        vm.assertEq(_withdraw(alice, bond), MINER_BOND, "bond");
    }

    // ---- suspend and resume ----

    function test_suspendAndResume() public {
        _register(bob, Role.Coordinator, COORDINATOR_BOND);
        vm.startPrank(epochs);
        vm.expectEmit(address(staking));
        emit IStakingHooks.Suspended(bob);
        staking.suspend(bob);
        vm.assertTrue(staking.getNode(bob).suspended, "suspended");
        vm.assertEq(staking.totalWeight(Role.Coordinator), 0, "weight");
        vm.stopPrank();
        vm.prank(bob);
        vm.expectRevert(IStaking.StillSuspended.selector);
        staking.rejoin(bob);
        vm.prank(epochs);
        vm.expectEmit(address(staking));
        emit IStakingHooks.Resumed(bob);
        staking.resume(bob);
        vm.assertEq(staking.totalWeight(Role.Coordinator), COORDINATOR_BOND, "weight again");
    }

    function test_leavingAndComingBackDoesNotEndASuspension() public {
        _register(bob, Role.Coordinator, COORDINATOR_BOND);
        vm.prank(epochs);
        staking.suspend(bob);
        vm.prank(bob);
        staking.deregister();
        _register(bob, Role.Coordinator, COORDINATOR_BOND);
        vm.assertFalse(staking.isActive(bob), "active");
    }

    function test_onlyEpochsSuspendsAndResumes() public {
        bytes memory invalid = abi.encodeWithSelector(IStakingHooks.CallerInvalid.selector, court);
        vm.startPrank(court);
        vm.expectRevert(invalid);
        staking.suspend(alice);
        vm.expectRevert(invalid);
        staking.resume(alice);
    }

    /// @dev Either keeps a node inactive alone.
    function test_awayAndSuspendedAreTwoThings() public {
        vm.prank(alice);
        staking.rest(alice);
        vm.startPrank(epochs);
        staking.suspend(alice);
        staking.resume(alice);
        vm.stopPrank();
        vm.assertFalse(staking.isActive(alice), "still away");
    }

    // ---- keys ----

    function test_actsFor() public {
        vm.assertTrue(staking.actsFor(alice, alice), "owner");
        vm.assertTrue(staking.actsFor(_operator(alice), alice), "operator");
        vm.assertTrue(staking.actsFor(bob, bob), "an owner that never registered");
        vm.assertFalse(staking.actsFor(bob, alice), "stranger");
        vm.assertFalse(staking.actsFor(address(0), bob), "nobody acts for a node without operator");
        _setOperator(alice, _operatorKey(alice, 1));
        vm.assertFalse(staking.actsFor(_operator(alice), alice), "the old operator");
    }

    function test_partyOf() public {
        address old = _operator(alice);
        vm.assertEq(staking.partyOf(old, FOREVER), alice, "a current key counts for whatever it dates");
        vm.assertEq(staking.partyOf(bob, 0), address(0), "stranger");
        _skip(1 days);
        _setOperator(alice, _operatorKey(alice, 1));
        uint64 rotatedAt = START + 1 days;
        vm.assertEq(staking.partyOf(old, rotatedAt), alice, "an old key counts for what it dated before");
        vm.assertEq(staking.partyOf(old, rotatedAt + 1), address(0), "and for nothing later");
        vm.assertEq(staking.partyOf(old, FOREVER), address(0), "however late");
        _skip(THAW);
        vm.assertEq(staking.partyOf(old, rotatedAt), alice, "to the last second");
        _skip(1);
        vm.assertEq(staking.partyOf(old, rotatedAt), address(0), "and for one thaw only");
    }

    function test_partyOfANodeThatHasLeft() public {
        vm.prank(alice);
        staking.deregister();
        vm.assertEq(staking.partyOf(_operator(alice), START), alice, "what it signed before");
        vm.assertEq(staking.partyOf(_operator(alice), START + 1), address(0), "nothing after");
    }

    /// @dev After a fork the domain is the new chain's.
    function test_domainOfAFork() public {
        bytes32 before = staking.domainSeparator();
        vm.chainId(block.chainid + 1);
        vm.assertTrue(staking.domainSeparator() != before, "domain");
    }

    // ---- views for the other contracts ----

    function test_roleOfAndBondOf() public {
        vm.assertTrue(staking.roleOf(alice) == Role.Miner, "role");
        vm.assertTrue(staking.roleOf(bob) == Role.None, "stranger");
        vm.prank(alice);
        staking.unbond(1 ether);
        (uint256 bondWei, uint256 thawingWei) = staking.bondOf(alice);
        vm.assertEq(bondWei, MINER_BOND - 1 ether, "bond");
        vm.assertEq(thawingWei, 1 ether, "thawing");
        vm.prank(alice);
        staking.deregister();
        vm.assertTrue(staking.roleOf(alice) == Role.None, "left");
    }

    function test_minerBondAt() public {
        uint64 epoch = staking.currentEpoch();
        _register(bob, Role.Coordinator, COORDINATOR_BOND);
        vm.assertEq(staking.minerBondAt(alice, epoch), MINER_BOND, "miner");
        vm.assertEq(staking.minerBondAt(bob, epoch), 0, "coordinator");
        vm.assertEq(staking.activeBondAt(bob, epoch), COORDINATOR_BOND, "its bond");
        vm.expectRevert(abi.encodeWithSelector(IStaking.ParameterInvalid.selector, "epoch"));
        staking.minerBondAt(alice, epoch + 1);
    }

    /// @dev A change in each of two successive epochs does not hide what was before them.
    function test_theOlderBondStaysReadable() public {
        uint64 first = staking.currentEpoch();
        _stake(alice, 100_000 ether);
        _skip(3 * EPOCH);
        vm.prank(alice);
        staking.bond(10_000 ether);
        _skip(EPOCH);
        vm.prank(alice);
        staking.rest(alice);
        vm.assertEq(staking.minerBondAt(alice, first + 2), MINER_BOND, "before both");
        vm.assertEq(staking.minerBondAt(alice, first + 3), MINER_BOND + 10_000 ether, "between");
        vm.assertEq(staking.minerBondAt(alice, first + 4), 0, "after");
        vm.expectRevert(abi.encodeWithSelector(IStaking.ParameterInvalid.selector, "epoch"));
        staking.minerBondAt(alice, first + 1);
        _skip(EPOCH);
        vm.prank(alice);
        staking.rejoin(alice);
        vm.assertEq(staking.minerBondAt(alice, first + 3), MINER_BOND + 10_000 ether, "before the last two");
        vm.assertEq(staking.minerBondAt(alice, first + 4), 0, "the rest");
    }

    /// @dev Leaving, coming back and moving bond in the very epochs that follow a registration: 0 before it, whatever comes.
    function test_theOlderBondOfANewNodeIsZero() public {
        uint64 first = staking.currentEpoch();
        _skip(EPOCH);
        vm.prank(alice);
        staking.deregister();
        _registerMiner(alice);
        vm.assertEq(staking.minerBondAt(alice, first - 1), 0, "before it registered");
        vm.assertEq(staking.minerBondAt(alice, first), MINER_BOND, "its first epoch");
    }

    /// @dev The same moves, of a node that was there long before.
    function test_theOlderBondOfAnOldNodeIsItsBond() public {
        uint64 first = staking.currentEpoch();
        _skip(5 * EPOCH);
        vm.prank(alice);
        staking.deregister();
        _registerMiner(alice);
        vm.assertEq(staking.minerBondAt(alice, first + 3), MINER_BOND, "before both");
        vm.assertEq(staking.minerBondAt(alice, first + 4), MINER_BOND, "the epoch before");
    }
}
