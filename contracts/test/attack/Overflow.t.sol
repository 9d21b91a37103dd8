// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking, Role} from "../../src/interfaces/IStaking.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Amounts and times at the edge of their types: an entry may be refused, an exit never.
contract OverflowAttack is TestBase {
    uint256 private constant MOST = type(uint96).max;
    bytes4 private constant DOWNCAST = bytes4(keccak256("SafeCastOverflowedUintDowncast(uint8,uint256)"));

    function test_noMoreThan96BitsEver() public {
        _fund(alice, MOST);
        _stake(alice, MOST - 1 ether);
        _stake(bob, 1 ether);
        vm.expectRevert(abi.encodeWithSelector(DOWNCAST, 96, MOST + 1));
        vm.prank(bob);
        staking.stake{value: 1}();
        vm.prank(bob);
        staking.withdraw(_ids(), MAX, payable(bob));
        _stake(bob, 1);
    }

    function test_registerCountsTowardsIt() public {
        _fund(alice, MOST);
        _stake(alice, MOST);
        bytes memory signature = _signRegistration(_operatorKey(bob, 0), bob, Role.Miner, FOREVER);
        vm.prank(bob);
        vm.expectRevert(abi.encodeWithSelector(DOWNCAST, 96, MOST + MINER_BOND));
        staking.register{value: MINER_BOND}(Role.Miner, _operator(bob), 0, MINER_BOND, _profile(), FOREVER, signature);
    }

    /// @dev All the money there can be, through every bucket and out again.
    function test_allTheMoneyThroughEveryBucket() public {
        _fund(alice, MOST);
        uint256 bondWei = MOST / 17 + 1;
        uint256 votesWei = MOST - bondWei;
        _register(alice, Role.Miner, bondWei);
        _vote(alice, alice, votesWei);
        vm.assertEq(staking.totalWeight(Role.Miner), MOST, "weight");
        _skip(EPOCH);
        _slashPart(alice, 0.5 ether);
        staking.lowerVotes(alice, 0.5 ether);
        uint256 id = _unvoteAll(alice, alice);
        _slashPart(alice, 0.5 ether);
        staking.lowerVotes(alice, 0.999 ether);
        vm.prank(alice);
        staking.deregister();
        _skip(THAW);
        uint256 before = alice.balance;
        uint256[] memory ids = new uint256[](2);
        (ids[0], ids[1]) = (id, _bondThaw(alice, START + EPOCH));
        vm.prank(alice);
        staking.withdraw(ids, MAX, payable(alice));
        vm.assertEq(alice.balance - before + staking.undistributedWei(), MOST, "every wei has a place");
    }

    /// @dev The dearest pool that a slash may leave, filled with all the money there can be.
    function test_theCheapestShareTheSlashMayLeave() public {
        _fund(alice, MOST);
        _fund(bob, MOST);
        _register(alice, Role.Miner, MOST / 16);
        _vote(alice, alice, 1 ether);
        // 1/4,096 and a little more stays.
        staking.lowerVotes(alice, 1 ether - 0.000244140626 ether);
        vm.assertEq(uint256(staking.votesPool(alice).generation), 0, "not emptied");
        uint256 votesWei = MOST - address(staking).balance;
        _vote(bob, alice, votesWei);
        vm.assertApproxEqAbs(_votesOf(bob, alice), votesWei, 1, "votes");
        uint256 id = _unvoteAll(bob, alice);
        _skip(THAW);
        vm.assertApproxEqAbs(_withdraw(bob, id), votesWei, 1, "paid");
    }

    function test_absurdArgumentsAreRefused() public {
        _registerMiner(alice);
        _vote(alice, alice, 2 ether);
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(IStaking.InsufficientBond.selector, MINER_BOND, MAX));
        staking.unbond(MAX);
        vm.expectRevert(abi.encodeWithSelector(IStaking.InsufficientFree.selector, 0, MAX));
        staking.bond(MAX);
        vm.expectRevert(abi.encodeWithSelector(IStaking.InsufficientFree.selector, 0, MAX));
        staking.vote(alice, MAX, 0);
        vm.expectRevert(abi.encodeWithSelector(IStaking.InsufficientShares.selector, 2 ether * VIRTUAL_SHARES, MAX));
        staking.unvote(alice, MAX, 0);
        vm.expectRevert(abi.encodeWithSelector(IStaking.InsufficientFree.selector, 0, MAX - 1));
        staking.withdraw(_ids(), MAX - 1, payable(alice));
        vm.expectRevert(abi.encodeWithSelector(IStaking.ThawUnknown.selector, alice, MAX));
        staking.withdraw(_ids(MAX), 0, payable(alice));
        vm.stopPrank();
        vm.assertEq(staking.getThaws(alice, _ids(MAX)).length, 0, "thaws");
        vm.assertEq(staking.getNodes(Role.Miner, MAX, MAX).length, 0, "nodes");
        vm.assertEq(staking.getNodes(Role.Miner, 0, MAX).length, 1, "nodes from the first");
    }

    /// @dev 65,535 registrations of one owner; then it needs another address, and its money still leaves.
    function test_nonceRunsOut() public {
        staking.setNonce(alice, type(uint16).max - 1);
        _registerMiner(alice);
        bytes memory signature = _signRegistration(_operatorKey(alice, 1), alice, Role.Miner, FOREVER);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        staking.setOperator(vm.addr(_operatorKey(alice, 1)), FOREVER, signature);
        vm.prank(alice);
        staking.deregister();
        uint256 id = _bondThaw(alice);
        _skip(THAW);
        vm.assertEq(_withdraw(alice, id), MINER_BOND, "paid");
    }

    function test_farFuture() public {
        _registerMiner(alice);
        _vote(bob, alice, 10 ether);
        vm.warp(type(uint32).max - THAW);
        vm.prank(alice);
        staking.setVoterShare(4_000);
        // After 2106 a drop of the share is refused; stake still moves.
        vm.warp(uint256(type(uint32).max) + 1);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(DOWNCAST, 32, uint256(type(uint32).max) + 1 + THAW));
        staking.setVoterShare(0);
        uint256 votes = _unvoteAll(bob, alice);
        vm.prank(alice);
        staking.deregister();
        uint256 bond = _bondThaw(alice);
        _skip(THAW);
        vm.assertEq(_withdraw(bob, votes), 10 ether, "votes");
        vm.assertEq(_withdraw(alice, bond), MINER_BOND, "bond");
    }
}
