// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking, Role, ThawKind} from "../../src/interfaces/IStaking.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

contract VotesTest is TestBase {
    function setUp() public override {
        super.setUp();
        _registerMiner(alice);
    }

    // ---- vote ----

    function test_vote() public {
        _stake(bob, 100 ether);
        vm.expectEmit(address(staking));
        emit IStaking.Voted(bob, alice, 60 ether, 60 ether * VIRTUAL_SHARES);
        vm.expectEmit(address(staking));
        emit IStaking.NodeWeightChanged(alice, Role.Miner, true, MINER_BOND, 60 ether, MINER_BOND + 60 ether);
        vm.prank(bob);
        vm.assertEq(staking.vote(alice, 60 ether, 60 ether * VIRTUAL_SHARES), 60 ether * VIRTUAL_SHARES, "shares");
        vm.assertEq(_free(bob), 40 ether, "free");
        vm.assertEq(_votesOf(bob, alice), 60 ether, "votes");
        vm.assertEq(staking.totalWeight(Role.Miner), MINER_BOND + 60 ether, "total weight");
    }

    function test_voteMoreAddsUp() public {
        _vote(bob, alice, 60 ether);
        _vote(bob, alice, 5 ether);
        vm.assertEq(_votesOf(bob, alice), 65 ether, "votes");
        vm.assertEq(staking.getNode(alice).votesWei, 65 ether, "pool");
        vm.assertEq(staking.getNode(alice).voteShares, 65 ether * VIRTUAL_SHARES, "shares");
    }

    function test_ownerVotesForItsOwnNode() public {
        _vote(alice, alice, 60 ether);
        vm.assertEq(_votesOf(alice, alice), 60 ether, "votes");
        vm.assertEq(staking.getAccount(alice).bondWei, MINER_BOND, "bond");
    }

    function test_voteForAnInactiveNodeWaits() public {
        vm.prank(alice);
        staking.unbond(10_000 ether);
        _vote(bob, alice, 60 ether);
        vm.assertEq(staking.weightOf(alice), 0, "weight while inactive");
        _stake(alice, 10_000 ether);
        vm.prank(alice);
        staking.bond(10_000 ether);
        vm.assertEq(staking.weightOf(alice), MINER_BOND + 60 ether, "weight while active");
    }

    function test_voteUpToTheLimit() public {
        _vote(bob, alice, 16 * MINER_BOND);
        vm.assertEq(staking.weightOf(alice), 17 * MINER_BOND, "weight");
    }

    function test_voteReverts() public {
        _stake(bob, 16 * MINER_BOND + 1 ether);
        vm.startPrank(bob);
        vm.expectRevert(abi.encodeWithSelector(IStaking.VoteTooSmall.selector, 1 ether - 1, 1 ether));
        staking.vote(alice, 1 ether - 1, 0);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotRegistered.selector, carol));
        staking.vote(carol, 1 ether, 0);
        vm.expectRevert(
            abi.encodeWithSelector(IStaking.InsufficientFree.selector, 16 * MINER_BOND + 1 ether, 17 * MINER_BOND)
        );
        staking.vote(alice, 17 * MINER_BOND, 0);
        vm.expectRevert(abi.encodeWithSelector(IStaking.VotesOverLimit.selector, 16 * MINER_BOND + 1, 16 * MINER_BOND));
        staking.vote(alice, 16 * MINER_BOND + 1, 0);
        vm.expectRevert(
            abi.encodeWithSelector(
                IStaking.SlippageShares.selector, 1 ether * VIRTUAL_SHARES, 1 ether * VIRTUAL_SHARES + 1
            )
        );
        staking.vote(alice, 1 ether, 1 ether * VIRTUAL_SHARES + 1);
        vm.stopPrank();
    }

    function test_voteForANodeThatHasLeft() public {
        vm.prank(alice);
        staking.deregister();
        _stake(bob, 1 ether);
        vm.prank(bob);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotRegistered.selector, alice));
        staking.vote(alice, 1 ether, 0);
    }

    // ---- unvote ----

    function test_unvote() public {
        uint256 shares = _vote(bob, alice, 60 ether);
        vm.expectEmit(address(staking));
        emit IStaking.ThawStarted(bob, alice, ThawKind.Votes, _votesThaw(alice), 15 ether, START + THAW);
        vm.expectEmit(address(staking));
        emit IStaking.NodeWeightChanged(alice, Role.Miner, true, MINER_BOND, 45 ether, MINER_BOND + 45 ether);
        vm.prank(bob);
        uint256 id = staking.unvote(alice, shares / 4, 15 ether);
        vm.assertEq(id, _votesThaw(alice), "id");
        vm.assertEq(_votesOf(bob, alice), 45 ether, "votes");
        vm.assertEq(_free(bob), 0, "free");
    }

    function test_unvoteFromANodeThatHasLeft() public {
        _vote(bob, alice, 60 ether);
        vm.prank(alice);
        staking.deregister();
        vm.expectEmit(address(staking));
        emit IStaking.NodeWeightChanged(alice, Role.Miner, false, 0, 0, 0);
        uint256 id = _unvoteAll(bob, alice);
        _skip(THAW);
        vm.assertEq(_withdraw(bob, id), 60 ether, "paid");
    }

    function test_unvoteReverts() public {
        uint256 shares = _vote(bob, alice, 60 ether);
        vm.startPrank(bob);
        vm.expectRevert(IStaking.AmountZero.selector);
        staking.unvote(alice, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(IStaking.InsufficientShares.selector, shares, shares + 1));
        staking.unvote(alice, shares + 1, 0);
        vm.expectRevert(abi.encodeWithSelector(IStaking.InsufficientShares.selector, 0, 1));
        staking.unvote(carol, 1, 0);
        vm.expectRevert(abi.encodeWithSelector(IStaking.SlippageAmount.selector, 60 ether, 60 ether + 1));
        staking.unvote(alice, shares, 60 ether + 1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.VoteTooSmall.selector, 1 ether - 1, 1 ether));
        staking.unvote(alice, shares - 1 ether * VIRTUAL_SHARES + 1, 0);
        staking.unvote(alice, shares - 1 ether * VIRTUAL_SHARES, 0);
        vm.stopPrank();
        vm.assertEq(_votesOf(bob, alice), 1 ether, "exactly the minimum may stay");
    }
}
