// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking} from "../../src/interfaces/IStaking.sol";
import {Pool} from "../../src/libraries/SharePool.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Slash evasion by exiting, the last withdrawal that reverts after a slash, and the pool bricked by a total slash.
contract SlashedExitsAttack is TestBase {
    uint256 private constant ALL = 1 ether;

    function setUp() public override {
        super.setUp();
        _registerMiner(alice);
        _vote(bob, alice, 100 ether);
        _vote(carol, alice, 33 ether + 1);
    }

    // ---- leaving does not save from a slash ----

    function test_thawingStakeIsSlashedInTheSameRatio() public {
        vm.prank(alice);
        staking.unbond(5_000 ether);
        _unvote(bob, alice, 40 ether * VIRTUAL_SHARES);
        uint256 takenWei = staking.slash(alice, 0.1 ether, 0.02 ether);
        vm.assertEq(takenWei, 2_500 ether + uint256(133 ether) / 50, "exactly what the slash says");
        vm.assertEq(staking.getNode(alice).bondWei, 18_000 ether, "bond");
        vm.assertEq(staking.getThaws(alice, 0, 1)[0].amountWei, 4_500 ether, "thawing bond");
        vm.assertEq(_votesOf(bob, alice), 58.8 ether, "votes");
        vm.assertEq(staking.getThaws(bob, 0, 1)[0].amountWei, 39.2 ether, "thawing votes");
        vm.assertFalse(staking.isActive(alice), "18,000 is not over the threshold");
    }

    function test_maturedButNotWithdrawnIsStillSlashable() public {
        vm.prank(alice);
        staking.unbond(5_000 ether);
        _skip(10 * THAW);
        staking.slash(alice, 0.5 ether, 0);
        vm.assertEq(_withdraw(alice, 0), 2_500 ether, "paid");
    }

    function test_releasedIntoFreeIsNot() public {
        vm.prank(alice);
        staking.unbond(5_000 ether);
        _skip(THAW);
        vm.prank(alice);
        staking.withdraw(_ids(0), 0, payable(alice));
        staking.slash(alice, 0.5 ether, 0);
        vm.assertEq(_free(alice), 5_000 ether, "free");
    }

    /// @dev An exit that begins after a slash does not share in it, nor does it make the earlier ones whole.
    function test_anExitAfterTheSlashIsNotMixedWithThoseBefore() public {
        _unvote(bob, alice, 50 ether * VIRTUAL_SHARES);
        staking.slash(alice, 0, 0.02 ether);
        uint256 before = staking.getThaws(bob, 0, 1)[0].amountWei;
        uint256 votesWei = _votesOf(carol, alice);
        _unvoteAll(carol, alice);
        vm.assertApproxEqAbs(staking.getThaws(carol, 0, 1)[0].amountWei, votesWei, 1, "the later exit");
        vm.assertApproxEqAbs(staking.getThaws(bob, 0, 1)[0].amountWei, before, 1, "the earlier exit");
    }

    // ---- the last withdrawal ----

    function test_lastWithdrawalAfterOddSlashes() public {
        _unvote(bob, alice, 99 ether * VIRTUAL_SHARES);
        staking.slash(alice, 0, 0.0123456789 ether);
        _unvoteAll(carol, alice);
        staking.slash(alice, 0, 0.3333333333 ether);
        _unvoteAll(bob, alice);
        staking.slash(alice, 0, 0.777 ether);
        _skip(THAW);
        _withdraw(bob, 1);
        _withdraw(bob, 0);
        _withdraw(carol, 0);
        vm.assertEq(staking.thawingVotesPool(alice).shares, 0, "shares");
        vm.assertEq(staking.thawingVotesPool(alice).assetsWei, 0, "assets");
        vm.assertEq(address(staking).balance, MINER_BOND + staking.undistributedWei(), "every wei has a place");
    }

    // ---- everything is taken ----

    function test_aTotalSlashDoesNotBrickTheVotePool() public {
        staking.slash(alice, 0, ALL);
        vm.assertEq(_votesOf(bob, alice), 0, "votes");
        vm.assertEq(_sharesOf(bob, alice), 0, "worthless shares are gone");
        _vote(bob, alice, 5 ether);
        _vote(dave, alice, 7 ether);
        vm.assertEq(_votesOf(bob, alice), 5 ether, "the same voter enters anew");
        vm.assertEq(_votesOf(dave, alice), 7 ether, "another enters");
        vm.assertEq(_votesOf(carol, alice), 0, "the one who was slashed takes nothing of it");
        vm.prank(carol);
        vm.expectRevert(abi.encodeWithSelector(IStaking.InsufficientShares.selector, 0, 1));
        staking.unvote(alice, 1, 0);
    }

    function test_aTotalSlashDoesNotBrickTheThawPools() public {
        vm.prank(alice);
        staking.unbond(1_000 ether);
        _unvote(bob, alice, 50 ether * VIRTUAL_SHARES);
        staking.slash(alice, ALL, ALL);
        vm.assertEq(staking.getThaws(alice, 0, 1)[0].amountWei, 0, "thawing bond");
        vm.assertEq(staking.getThaws(bob, 0, 1)[0].amountWei, 0, "thawing votes");

        // New money comes and goes past the dead exits, which nobody ever collects or which are collected in between.
        _stake(alice, 500 ether);
        vm.prank(alice);
        staking.bond(500 ether);
        vm.prank(alice);
        staking.unbond(400 ether);
        _vote(carol, alice, 9 ether);
        _unvoteAll(carol, alice);
        _skip(THAW);
        vm.assertEq(_withdraw(bob, 0), 0, "a dead exit pays nothing");
        vm.assertEq(_withdraw(carol, 0), 9 ether, "new votes");
        vm.assertEq(_withdraw(alice, 1), 400 ether, "new bond");
        vm.assertEq(_withdraw(alice, 0), 0, "a dead exit pays nothing");
    }

    /// @dev Almost total slashes, one after another: the price falls, new entries must never overflow.
    function test_manyNearlyTotalSlashes() public {
        for (uint256 i = 0; i < 20; ++i) {
            _unvote(bob, alice, _sharesOf(bob, alice) / 10);
            staking.slash(alice, 0, 0.9 ether);
            _vote(bob, alice, 10_000 ether);
        }
        Pool memory pool = staking.votesPool(alice);
        vm.assertLe(
            uint256(pool.shares) + VIRTUAL_SHARES, (uint256(pool.assetsWei) + 1) * VIRTUAL_SHARES * 4096, "price"
        );
        _unvoteAll(bob, alice);
    }

    function test_aNodeWithoutBondIsClosedForEntryAndOpenForExit() public {
        staking.slash(alice, ALL, 0.02 ether);
        vm.assertEq(staking.weightOf(alice), 0, "weight");
        _stake(dave, 10 ether);
        uint256 votesWei = staking.getNode(alice).votesWei;
        vm.prank(dave);
        vm.expectRevert(abi.encodeWithSelector(IStaking.VotesOverLimit.selector, votesWei + 10 ether, 0));
        staking.vote(alice, 10 ether, 0);
        _unvoteAll(bob, alice);
        _skip(THAW);
        vm.assertApproxEqAbs(_withdraw(bob, 0), 98 ether, 1, "paid");
    }
}
