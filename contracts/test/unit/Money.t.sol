// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking, ThawKind} from "../../src/interfaces/IStaking.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

contract MoneyTest is TestBase {
    // ---- stake ----

    function test_stake() public {
        vm.expectEmit(address(staking));
        emit IStaking.Staked(alice, 3 ether);
        _stake(alice, 3 ether);
        _stake(alice, 2 ether);
        vm.assertEq(_free(alice), 5 ether, "free");
        vm.assertEq(address(staking).balance, 5 ether, "held");
    }

    function test_stakeOfNothing() public {
        vm.expectRevert(IStaking.AmountZero.selector);
        staking.stake();
    }

    // ---- withdraw ----

    function test_withdrawPart() public {
        _stake(alice, 5 ether);
        vm.expectEmit(address(staking));
        emit IStaking.Withdrawn(alice, bob, 2 ether);
        uint256 before = bob.balance;
        vm.prank(alice);
        staking.withdraw(_ids(), 2 ether, payable(bob));
        vm.assertEq(bob.balance - before, 2 ether, "paid");
        vm.assertEq(_free(alice), 3 ether, "free");
    }

    function test_withdrawAll() public {
        _stake(alice, 5 ether);
        uint256 before = alice.balance;
        vm.prank(alice);
        staking.withdraw(_ids(), MAX, payable(alice));
        vm.assertEq(alice.balance - before, 5 ether, "paid");
        vm.assertEq(_free(alice), 0, "free");
    }

    function test_withdrawNothingPaysNothing() public {
        vm.recordLogs();
        vm.prank(alice);
        staking.withdraw(_ids(), MAX, payable(alice));
        vm.prank(alice);
        staking.withdraw(_ids(), 0, payable(address(0)));
        vm.assertEq(vm.getRecordedLogs().length, 0, "events");
    }

    function test_withdrawMoreThanFree() public {
        _stake(alice, 5 ether);
        vm.expectRevert(abi.encodeWithSelector(IStaking.InsufficientFree.selector, 5 ether, 5 ether + 1));
        vm.prank(alice);
        staking.withdraw(_ids(), 5 ether + 1, payable(alice));
    }

    function test_withdrawToZero() public {
        _stake(alice, 5 ether);
        vm.expectRevert(abi.encodeWithSelector(IStaking.ParameterInvalid.selector, "to"));
        vm.prank(alice);
        staking.withdraw(_ids(), MAX, payable(address(0)));
    }

    function test_withdrawToAContractThatRefuses() public {
        _stake(alice, 5 ether);
        vm.expectRevert(abi.encodeWithSelector(IStaking.TransferFailed.selector, address(staking), 5 ether));
        vm.prank(alice);
        staking.withdraw(_ids(), MAX, payable(address(staking)));
    }

    function test_withdrawMaturedThaws() public {
        _registerMiner(alice);
        _vote(bob, alice, 10 ether);
        uint256 first = _unvote(bob, alice, 4 ether * VIRTUAL_SHARES);
        _skip(1 hours);
        uint256 second = _unvoteAll(bob, alice);
        _skip(THAW);

        uint256[] memory ids = new uint256[](2);
        (ids[0], ids[1]) = (second, first);
        vm.expectEmit(address(staking));
        emit IStaking.ThawReleased(bob, alice, second, 6 ether);
        vm.expectEmit(address(staking));
        emit IStaking.ThawReleased(bob, alice, first, 4 ether);
        vm.expectEmit(address(staking));
        emit IStaking.Withdrawn(bob, bob, 10 ether);
        vm.prank(bob);
        staking.withdraw(ids, MAX, payable(bob));
        vm.assertEq(staking.getThaws(bob, ids).length, 0, "live thaws");
    }

    function test_releaseIntoFreeWithoutPaying() public {
        _registerMiner(alice);
        vm.prank(alice);
        uint256 id = staking.unbond(100 ether);
        _skip(THAW);
        vm.prank(alice);
        staking.withdraw(_ids(id), 0, payable(address(0)));
        vm.assertEq(_free(alice), 100 ether, "free");
    }

    function test_withdrawTheSameThawTwice() public {
        _registerMiner(alice);
        vm.prank(alice);
        uint256 id = staking.unbond(100 ether);
        _skip(THAW);
        uint256[] memory ids = new uint256[](2);
        (ids[0], ids[1]) = (id, id);
        vm.expectRevert(abi.encodeWithSelector(IStaking.ThawUnknown.selector, alice, id));
        vm.prank(alice);
        staking.withdraw(ids, MAX, payable(alice));
    }

    function test_withdrawSomebodyElsesThaw() public {
        _registerMiner(alice);
        vm.prank(alice);
        uint256 id = staking.unbond(100 ether);
        _skip(THAW);
        vm.expectRevert(abi.encodeWithSelector(IStaking.ThawUnknown.selector, bob, id));
        vm.prank(bob);
        staking.withdraw(_ids(id), MAX, payable(bob));
    }

    function test_withdrawToTheSecond() public {
        _registerMiner(alice);
        vm.prank(alice);
        uint256 id = staking.unbond(100 ether);
        _skip(THAW - 1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.ThawNotReleased.selector, id, START + THAW));
        vm.prank(alice);
        staking.withdraw(_ids(id), MAX, payable(alice));
        _skip(1);
        vm.assertEq(_withdraw(alice, id), 100 ether, "paid");
    }

    // ---- bond ----

    function test_bond() public {
        _registerMiner(alice);
        _stake(alice, 50 ether);
        vm.expectEmit(address(staking));
        emit IStaking.Bonded(alice, 40 ether, MINER_BOND + 40 ether);
        vm.expectEmit(address(staking));
        emit IStaking.NodeWeightChanged(
            alice, staking.getNode(alice).role, true, MINER_BOND + 40 ether, 0, MINER_BOND + 40 ether
        );
        vm.prank(alice);
        staking.bond(40 ether);
        vm.assertEq(_free(alice), 10 ether, "free");
        vm.assertEq(staking.getAccount(alice).bondWei, MINER_BOND + 40 ether, "bond");
    }

    function test_bondReverts() public {
        _stake(alice, 50 ether);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotRegistered.selector, alice));
        staking.bond(1 ether);

        _registerMiner(alice);
        vm.prank(alice);
        vm.expectRevert(IStaking.AmountZero.selector);
        staking.bond(0);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IStaking.InsufficientFree.selector, 50 ether, 50 ether + 1));
        staking.bond(50 ether + 1);
    }

    // ---- unbond ----

    function test_unbondAndStayActive() public {
        _registerMiner(alice);
        vm.expectEmit(address(staking));
        emit IStaking.ThawStarted(alice, alice, ThawKind.Bond, _bondThaw(alice), 1_000 ether, START + THAW);
        vm.expectEmit(address(staking));
        emit IStaking.NodeWeightChanged(
            alice, staking.getNode(alice).role, true, MINER_BOND - 1_000 ether, 0, MINER_BOND - 1_000 ether
        );
        vm.prank(alice);
        uint256 id = staking.unbond(1_000 ether);
        vm.assertEq(id, _bondThaw(alice), "id");
        vm.assertEq(staking.getNode(alice).bondWei, MINER_BOND - 1_000 ether, "bond");
        vm.assertEq(_free(alice), 0, "free");
    }

    function test_unbondBelowTheThreshold() public {
        _registerMiner(alice);
        vm.expectEmit(address(staking));
        emit IStaking.NodeWeightChanged(alice, staking.getNode(alice).role, false, 20_000 ether, 0, 0);
        vm.prank(alice);
        staking.unbond(MINER_BOND - 20_000 ether);
        vm.assertFalse(staking.isActive(alice), "active");
    }

    function test_unbondEverythingAndReturn() public {
        _registerMiner(alice);
        vm.prank(alice);
        uint256 id = staking.unbond(MINER_BOND);
        _skip(THAW);
        vm.prank(alice);
        staking.withdraw(_ids(id), 0, payable(alice));
        vm.prank(alice);
        staking.bond(MINER_BOND);
        vm.assertTrue(staking.isActive(alice), "active again");
    }

    function test_unbondReverts() public {
        _registerMiner(alice);
        vm.prank(alice);
        vm.expectRevert(IStaking.AmountZero.selector);
        staking.unbond(0);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IStaking.InsufficientBond.selector, MINER_BOND, MINER_BOND + 1));
        staking.unbond(MINER_BOND + 1);
        vm.prank(bob);
        vm.expectRevert(abi.encodeWithSelector(IStaking.InsufficientBond.selector, 0, 1));
        staking.unbond(1);
    }
}
