// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking} from "../../src/interfaces/IStaking.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Many small steps that each round by a wei, in somebody's favour.
contract RoundingDrainAttack is TestBase {
    function setUp() public override {
        super.setUp();
        _registerMiner(alice);
        _vote(carol, alice, 1_000 ether);
        // An odd price, so that everything rounds.
        staking.lowerVotes(alice, 123456789012345678);
    }

    function test_enterAndLeaveManyTimes() public {
        uint256 carolBefore = _votesOf(carol, alice);
        uint256 put = 0;
        uint256 taken = 0;
        uint256[] memory ids = new uint256[](100);
        for (uint256 i = 0; i < 100; ++i) {
            uint256 amount = 1 ether + i * 7 + 1;
            put += amount;
            _vote(bob, alice, amount);
            ids[i] = _unvoteAll(bob, alice);
            _skip(1);
        }
        _skip(THAW);
        for (uint256 i = 0; i < 100; ++i) {
            taken += _withdraw(bob, ids[i]);
        }
        vm.assertLe(taken, put, "the attacker profits");
        vm.assertLe(put - taken, 200, "and loses no more than two wei a round");
        vm.assertGe(_votesOf(carol, alice), carolBefore, "the other loses");
        vm.assertLe(_votesOf(carol, alice) - carolBefore, 100, "the other gains no more than a wei a round");
    }

    /// @dev Burning shares one by one pays nothing and takes nothing from the others.
    function test_exitsWorthNothing() public {
        _vote(bob, alice, 10 ether);
        uint256 before = _votesOf(carol, alice);
        uint256[] memory ids = new uint256[](50);
        for (uint256 i = 0; i < 50; ++i) {
            ids[i] = _unvote(bob, alice, 1);
            _skip(1);
        }
        vm.assertApproxEqAbs(_votesOf(carol, alice), before, 1, "the other's votes");
        _skip(THAW);
        for (uint256 i = 0; i < 50; ++i) {
            vm.assertEq(_withdraw(bob, ids[i]), 0, "paid");
        }
    }

    /// @dev What rounding leaves goes to the reward pool with the last exit, not to whoever comes next. A price above that of
    /// a fresh pool leaves some: the virtual shares' part of the rise.
    function test_lastExitSweepsTheDust() public {
        vm.prank(dave);
        staking.liftVotes{value: 3_000 ether + 1}(alice);
        uint256 swept = staking.undistributedWei();
        _vote(bob, alice, 3 ether + 1);
        uint256 id = _unvoteAll(bob, alice);
        _unvoteAll(carol, alice);
        vm.assertGe(staking.undistributedWei(), swept + 1, "dust of the vote pool");
        vm.assertLe(staking.undistributedWei(), swept + 5, "no more than dust");
        vm.assertEq(staking.getNode(alice).votesWei, 0, "votes left");
        vm.assertEq(staking.getNode(alice).voteShares, 0, "shares left");
        _skip(THAW);
        _withdraw(carol, id);
        _withdraw(bob, id);
        vm.assertEq(staking.thawingVotesPool(alice).assetsWei, 0, "thawing left");
        vm.assertEq(address(staking).balance, MINER_BOND + staking.undistributedWei(), "every wei has a place");
    }
}
