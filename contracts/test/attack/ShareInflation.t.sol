// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking, Role} from "../../src/interfaces/IStaking.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

/// @dev Forces its value onto an address that has no way to receive.
contract ForcedGift {
    constructor(address payable target) payable {
        selfdestruct(target);
    }
}

/// @notice The first holder makes a share dear by a donation, so that the next one's entry rounds down into its pocket.
contract ShareInflationAttack is TestBase {
    function setUp() public override {
        super.setUp();
        _registerMiner(alice);
    }

    function test_forcedValueChangesNothing() public {
        _vote(bob, alice, 1 ether);
        _force(1_000_000 ether);
        uint256 shares = _vote(carol, alice, 7 ether + 13);
        vm.assertEq(shares, (7 ether + 13) * VIRTUAL_SHARES, "shares");
        vm.assertEq(_votesOf(carol, alice), 7 ether + 13, "votes of the second");
        vm.assertEq(_votesOf(bob, alice), 1 ether, "votes of the first");
        vm.assertEq(staking.undistributedWei(), 0, "undistributed");
    }

    function test_plainTransfersAreRefused() public {
        vm.prank(alice);
        (bool accepted,) = address(staking).call{value: 1 ether}("");
        vm.assertFalse(accepted, "accepted");
    }

    /// @dev Even a real rise of the price, as rewards will bring it, leaves an attacker at most a share of dust.
    function test_firstHolderCannotProfitFromARise() public {
        _vote(bob, alice, 1 ether);
        vm.prank(dave);
        staking.liftVotes{value: 100_000 ether}(alice);
        uint256 before = _votesOf(bob, alice);
        _vote(carol, alice, 1 ether);
        vm.assertApproxEqAbs(_votesOf(carol, alice), 1 ether, 1, "the victim's votes");
        vm.assertApproxEqAbs(_votesOf(bob, alice), before, 1, "the attacker's votes");
    }

    /// @dev Nor by a share that rewards have made worth 10 wei: what does not buy a whole one stays the victim's.
    function test_aDearShareTakesNothing() public {
        _register(dave, Role.Coordinator, COORDINATOR_BOND);
        _vote(bob, dave, 1 ether);
        vm.deal(bob, 9_999_999 ether);
        vm.prank(bob);
        staking.liftVotes{value: 9_999_999 ether}(dave);
        uint256 before = _votesOf(bob, dave);
        uint256 shares = _vote(carol, dave, 10 ether + 17);
        vm.assertEq(shares, 1 ether + 2, "shares of 10 wei each");
        vm.assertEq(_votesOf(carol, dave), 10 ether + 10, "the victim's votes");
        vm.assertEq(_free(carol), 6, "the victim's free stake");
        vm.assertApproxEqAbs(_votesOf(bob, dave), before, 1, "the attacker's votes");
    }

    /// @dev The victim names what it expects; the attacker moves the price in front of it.
    function test_minSharesGuardsTheVictim() public {
        _vote(bob, alice, 1 ether);
        uint256 minShares = 10 ether * VIRTUAL_SHARES;
        vm.prank(dave);
        staking.liftVotes{value: 1 ether}(alice);
        _stake(carol, 10 ether);
        uint256 shares = _expectedShares(10 ether);
        vm.assertApproxEqAbs(shares, minShares / 2, 1e7, "half the shares, but for dust");
        vm.prank(carol);
        vm.expectRevert(abi.encodeWithSelector(IStaking.SlippageShares.selector, shares, minShares));
        staking.vote(alice, 10 ether, minShares);
    }

    function _expectedShares(uint256 amountWei) private view returns (uint256) {
        IStaking.NodeView memory node = staking.getNode(alice);
        return amountWei * (node.voteShares + VIRTUAL_SHARES) / (node.votesWei + 1);
    }

    function _force(uint256 amountWei) private {
        vm.deal(address(this), amountWei);
        new ForcedGift{value: amountWei}(payable(address(staking)));
        vm.assertGe(address(staking).balance, amountWei, "forced");
    }
}
