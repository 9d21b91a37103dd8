// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking, Role} from "../../src/interfaces/IStaking.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice A minimum that holds only on entry lets a holder shrink to a few shares and then ratchet their price up.
contract MinimumRatchetAttack is TestBase {
    function setUp() public override {
        super.setUp();
        _fund(alice, 1_000_000 ether);
        _register(alice, Role.Miner, 1_000_000 ether);
    }

    function test_whatRemainsIsHeldToTheMinimum() public {
        uint256 shares = _vote(bob, alice, 2 ether);
        vm.prank(bob);
        vm.expectRevert(abi.encodeWithSelector(IStaking.VoteTooSmall.selector, 0, 1 ether));
        staking.unvote(alice, shares - 1, 0);
    }

    /// @dev The price cannot be ratcheted: however often somebody enters and leaves, the pool's shares stay worth 10^-6 wei.
    function test_priceDoesNotClimb() public {
        _vote(carol, alice, 1 ether);
        for (uint256 i = 0; i < 200; ++i) {
            _vote(bob, alice, 1 ether + i);
            _unvoteAll(bob, alice);
        }
        IStaking.NodeView memory node = staking.getNode(alice);
        vm.assertEq(node.voteShares, node.votesWei * VIRTUAL_SHARES, "price");
    }

    /// @dev A lone holder rewards itself and leaves all but the minimum, over and over. A minimum in wei alone would let it
    /// shed shares without end, while the same money lifts the price of each.
    function test_rewardsToOneselfDoNotRatchetThePrice() public {
        _vote(bob, alice, 1 ether);
        for (uint256 i = 0; i < 6; ++i) {
            vm.prank(bob);
            staking.liftVotes{value: 1_000_000 ether}(alice);
            _keepTheLeast();
        }
        vm.assertEq(_sharesOf(bob, alice), 1e18, "shares");
        // What an entry may lose to rounding is one share.
        uint256 before = _votesOf(bob, alice);
        _vote(carol, alice, 8_000_000 ether + 999);
        vm.assertApproxEqAbs(_votesOf(carol, alice), 8_000_000 ether + 999, 1e7, "the victim's votes");
        vm.assertApproxEqAbs(_votesOf(bob, alice), before, 1e7, "the attacker's votes");
    }

    /// @dev Keeps 1 CAI's worth if the contract allows it, else 10^18 shares.
    function _keepTheLeast() private {
        IStaking.NodeView memory node = staking.getNode(alice);
        uint256 held = _sharesOf(bob, alice);
        uint256 oneCai = 1 ether * (node.voteShares + VIRTUAL_SHARES) / (node.votesWei + 1) + 1;
        vm.prank(bob);
        try staking.unvote(alice, held - oneCai, 0) {}
        catch {
            if (held > 1e18) _unvote(bob, alice, held - 1e18);
        }
    }

    /// @dev A slash may push a position below the minimum. That must not lock it in.
    function test_aPositionSlashedBelowTheMinimumLeavesWhole() public {
        uint256 shares = _vote(bob, alice, 1 ether);
        staking.lowerVotes(alice, 0.02 ether);
        vm.assertLt(_votesOf(bob, alice), 1 ether, "below the minimum");
        vm.prank(bob);
        vm.expectPartialRevert(IStaking.VoteTooSmall.selector);
        staking.unvote(alice, shares / 2, 0);
        _unvoteAll(bob, alice);
        vm.assertEq(_sharesOf(bob, alice), 0, "shares");
    }

    function test_aPositionSlashedBelowTheMinimumMayGrow() public {
        _vote(bob, alice, 1 ether);
        staking.lowerVotes(alice, 0.5 ether);
        _vote(bob, alice, 1 ether);
        vm.assertApproxEqAbs(_votesOf(bob, alice), 1.5 ether, 1, "votes");
    }
}
