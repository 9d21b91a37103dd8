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
        uint256 bondId = staking.unbond(5_000 ether);
        uint256 votesId = _unvote(bob, alice, 40 ether * VIRTUAL_SHARES);
        _slashPart(alice, 0.1 ether);
        vm.assertEq(
            staking.undistributedWei(),
            2_500 ether + (uint256(93 ether) + 1) / 100 + 0.4 ether,
            "exactly what the slash says"
        );
        vm.assertEq(staking.getNode(alice).bondWei, 18_000 ether, "bond");
        vm.assertEq(_thaw(alice, bondId).amountWei, 4_500 ether, "thawing bond");
        vm.assertApproxEqAbs(_votesOf(bob, alice), 59.4 ether, 1, "votes");
        vm.assertEq(_thaw(bob, votesId).amountWei, 39.6 ether, "thawing votes");
        vm.assertFalse(staking.isActive(alice), "18,000 is not over the threshold");
    }

    function test_maturedButNotWithdrawnIsStillSlashable() public {
        vm.prank(alice);
        uint256 id = staking.unbond(5_000 ether);
        _skip(10 * THAW);
        _slashPart(alice, 0.5 ether);
        vm.assertEq(_withdraw(alice, id), 2_500 ether, "paid");
    }

    function test_releasedIntoFreeIsNot() public {
        vm.prank(alice);
        uint256 id = staking.unbond(5_000 ether);
        _skip(THAW);
        vm.prank(alice);
        staking.withdraw(_ids(id), 0, payable(alice));
        _slashPart(alice, 0.5 ether);
        vm.assertEq(_free(alice), 5_000 ether, "free");
    }

    /// @dev An exit that begins after a slash does not share in it, nor does it make the earlier ones whole.
    function test_anExitAfterTheSlashIsNotMixedWithThoseBefore() public {
        uint256 id = _unvote(bob, alice, 50 ether * VIRTUAL_SHARES);
        _slashPart(alice, 0.5 ether);
        uint256 before = _thaw(bob, id).amountWei;
        vm.assertEq(before, 49 ether, "slashed");
        uint256 votesWei = _votesOf(carol, alice);
        _unvoteAll(carol, alice);
        vm.assertApproxEqAbs(_thaw(carol, id).amountWei, votesWei, 1, "the later exit");
        vm.assertApproxEqAbs(_thaw(bob, id).amountWei, before, 1, "the earlier exit");
    }

    /// @dev Exits of one second are one: what joins after a total slash replaces the dead shares.
    function test_anExitInTheSecondOfATotalSlash() public {
        vm.prank(alice);
        uint256 id = staking.unbond(1_000 ether);
        _slashPart(alice, ALL);
        _stake(alice, 500 ether);
        vm.startPrank(alice);
        staking.bond(500 ether);
        vm.assertEq(staking.unbond(400 ether), id, "id");
        vm.stopPrank();
        vm.assertEq(_thaw(alice, id).amountWei, 400 ether, "worth");
        _skip(THAW);
        vm.assertEq(_withdraw(alice, id), 400 ether, "paid");
    }

    // ---- the last withdrawal ----

    function test_lastWithdrawalAfterOddSlashes() public {
        uint256 first = _unvote(bob, alice, 99 ether * VIRTUAL_SHARES);
        _slashPart(alice, 0.0123456789 ether);
        _unvoteAll(carol, alice);
        _slashPart(alice, 0.3333333333 ether);
        staking.lowerVotes(alice, 0.777 ether);
        _skip(1);
        uint256 second = _unvoteAll(bob, alice);
        _slashPart(alice, 0.0777 ether);
        uint256 bondWei = staking.getNode(alice).bondWei;
        _skip(THAW);
        _withdraw(bob, second);
        _withdraw(bob, first);
        _withdraw(carol, first);
        vm.assertEq(staking.thawingVotesPool(alice).shares, 0, "shares");
        vm.assertEq(staking.thawingVotesPool(alice).assetsWei, 0, "assets");
        vm.assertEq(address(staking).balance, bondWei + staking.undistributedWei(), "every wei has a place");
    }

    function test_lastWithdrawalOfBondAfterOddSlashes() public {
        vm.prank(alice);
        uint256 first = staking.unbond(7_777 ether + 7);
        _slashPart(alice, 0.1234567891 ether);
        _skip(1);
        vm.prank(alice);
        uint256 second = staking.unbond(1_111 ether + 1);
        _slashPart(alice, 0.3333333333 ether);
        uint256 bondWei = staking.getNode(alice).bondWei;
        _skip(THAW);
        _withdraw(alice, second);
        _withdraw(alice, first);
        vm.assertEq(staking.thawingBondPool(alice).assetsWei, 0, "assets");
        uint256 votesWei = staking.getNode(alice).votesWei;
        vm.assertEq(address(staking).balance, bondWei + votesWei + staking.undistributedWei(), "every wei has a place");
    }

    // ---- everything is taken ----

    function test_aTotalSlashDoesNotBrickTheVotePool() public {
        staking.lowerVotes(alice, ALL);
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
        uint256 deadBond = staking.unbond(1_000 ether);
        uint256 deadVotes = _unvote(bob, alice, 50 ether * VIRTUAL_SHARES);
        _slashPart(alice, ALL);
        staking.lowerVotes(alice, ALL);
        vm.assertEq(_thaw(alice, deadBond).amountWei, 0, "thawing bond");
        vm.assertEq(_thaw(bob, deadVotes).amountWei, 0, "thawing votes");
        vm.assertEq(staking.getNode(alice).bondWei, 0, "bond");

        // New money comes and goes past the dead exits, which nobody ever collects or which are collected in between.
        _skip(1);
        _stake(alice, 500 ether);
        vm.prank(alice);
        staking.bond(500 ether);
        vm.prank(alice);
        uint256 newBond = staking.unbond(400 ether);
        _vote(carol, alice, 9 ether);
        uint256 newVotes = _unvoteAll(carol, alice);
        _skip(THAW);
        vm.assertEq(_withdraw(bob, deadVotes), 0, "a dead exit pays nothing");
        vm.assertEq(_withdraw(carol, newVotes), 9 ether, "new votes");
        vm.assertEq(_withdraw(alice, newBond), 400 ether, "new bond");
        vm.assertEq(_withdraw(alice, deadBond), 0, "a dead exit pays nothing");
    }

    /// @dev Almost total slashes, one after another: the price falls, new entries must never overflow.
    function test_manyNearlyTotalSlashes() public {
        for (uint256 i = 0; i < 20; ++i) {
            _unvote(bob, alice, _sharesOf(bob, alice) / 10);
            staking.lowerVotes(alice, 0.9 ether);
            _vote(bob, alice, 10_000 ether);
        }
        Pool memory pool = staking.votesPool(alice);
        vm.assertLe(
            uint256(pool.shares) + VIRTUAL_SHARES, (uint256(pool.assetsWei) + 1) * VIRTUAL_SHARES * 4096, "price"
        );
        _unvoteAll(bob, alice);
    }

    /// @dev A slash leaves of a thaw queue so little that it falls below the price floor: then it takes all of it, and says so.
    function test_aSlashBelowThePriceFloorTakesAllAndSaysSo() public {
        vm.prank(alice);
        staking.unbond(MINER_BOND / 2);
        uint256 askedWei = MINER_BOND - 2;
        uint256 takenWei = _slash(alice, askedWei);
        vm.assertEq(takenWei, MINER_BOND - 1, "taken");
        (uint256 bondWei, uint256 thawingWei) = staking.bondOf(alice);
        vm.assertEq(bondWei, 1, "bond");
        vm.assertEq(thawingWei, 0, "thawing");
    }

    function test_aNodeWithoutBondIsClosedForEntryAndOpenForExit() public {
        _slashPart(alice, ALL);
        vm.assertEq(staking.weightOf(alice), 0, "weight");
        _stake(dave, 10 ether);
        uint256 votesWei = staking.getNode(alice).votesWei;
        vm.prank(dave);
        vm.expectRevert(abi.encodeWithSelector(IStaking.VotesOverLimit.selector, votesWei + 10 ether, 0));
        staking.vote(alice, 10 ether, 0);
        uint256 id = _unvoteAll(bob, alice);
        _skip(THAW);
        vm.assertApproxEqAbs(_withdraw(bob, id), 98 ether, 1, "paid");
    }
}
