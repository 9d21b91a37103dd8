// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IPayments} from "../../src/interfaces/IPayments.sol";
import {IStakingHooks} from "../../src/interfaces/IStakingHooks.sol";
import {Network} from "../utils/Network.sol";
import {vm} from "../utils/Vm.sol";

/// @notice A coordinator that turns bad: it drains its escrow by an accomplice's voucher, asks it back, or cuts lines just before
/// an honest miner redeems. Whatever it does, the miner's line is paid, at once or one thaw later.
contract EscrowDrainedAttack is Network {
    uint256 private constant ESCROW = 100_000 ether;
    uint256 private constant LINE = 600_000 ether;

    address private coordinator;
    address private honest;
    address private accomplice;

    function setUp() public override {
        super.setUp();
        coordinator = _registerCoordinator("coordinator");
        honest = _registerMiner("honest");
        accomplice = _registerMiner("accomplice");
        _deposit(coordinator, ESCROW);
        _raise(coordinator, honest, LINE);
    }

    function _coverWei() private view returns (uint256) {
        return payments.getCoordinator(coordinator).escrowWei + _bond(coordinator) / 2;
    }

    /// @dev The honest miner's whole line, one thaw after it redeemed at the latest, to a wei of the thaw queue's rounding.
    function _assertHonestIsPaid() private {
        uint256 lineWei = payments.getLine(coordinator, honest).lineWei;
        uint256 before = staking.rewardsOf(honest);
        (uint256 paidWei, uint256 claimedWei) = _redeem(coordinator, honest, LINE);
        vm.assertEq(paidWei + claimedWei, lineWei, "all of the line");
        _skip(THAW);
        uint256 claims = 0;
        while (_isOpen(claims + 1)) {
            payments.collect(++claims);
        }
        vm.assertApproxEqAbs(staking.rewardsOf(honest) - before, lineWei, 1, "paid");
    }

    function _isOpen(uint256 id) private view returns (bool open) {
        try payments.getClaim(id) {
            return true;
        } catch {}
    }

    function test_anAccompliceRedeemsAllItsLineFirst() public {
        uint256 spareWei = _coverWei() - LINE;
        _raise(coordinator, accomplice, spareWei);
        _redeem(coordinator, accomplice, type(uint128).max);
        vm.assertEq(payments.getCoordinator(coordinator).escrowWei, 0, "drained");
        _assertHonestIsPaid();
    }

    function test_theOwnerLeavesWithAllItCan() public {
        uint256 requiredWei = payments.requiredBondWei(coordinator);
        _unbond(coordinator, COORDINATOR_BOND - requiredWei);
        vm.expectRevert(abi.encodeWithSelector(IStakingHooks.BondCommitted.selector, requiredWei - 1, requiredWei));
        _unbond(coordinator, 1);
        vm.expectRevert(abi.encodeWithSelector(IPayments.CoverTooLow.selector, LINE - 1, LINE));
        vm.prank(coordinator);
        payments.requestWithdrawal(1);
        vm.expectRevert(abi.encodeWithSelector(IStakingHooks.BondCommitted.selector, 0, requiredWei));
        vm.prank(coordinator);
        staking.deregister();
        _assertHonestIsPaid();
    }

    function test_escrowIsAskedBackAndRedeemedInTheThaw() public {
        _deposit(coordinator, LINE);
        vm.prank(coordinator);
        payments.requestWithdrawal(ESCROW);
        _skip(THAW - 1);
        (uint256 paidWei,) = _redeem(coordinator, honest, LINE);
        vm.assertEq(paidWei, LINE, "paid at once");
        _skip(1);
        address receiver = _account("receiver");
        vm.prank(coordinator);
        payments.withdraw(payable(receiver));
        vm.assertEq(receiver.balance, ESCROW, "what lines did not need");
    }

    /// @dev A notice is seen by the miner a thaw before it counts.
    function test_aLineIsNotCutUnderTheMiner() public {
        vm.prank(coordinator);
        payments.noticeLine(coordinator, honest, 0);
        _skip(THAW - 1);
        _assertHonestIsPaid();
    }

    /// @dev The margin: half the bond is still there after half of it is slashed.
    function test_aSlashOfHalfTheBondLeavesTheLineCovered() public {
        _raise(coordinator, accomplice, _coverWei() - LINE);
        _slash(coordinator, COORDINATOR_BOND / 2);
        _redeem(coordinator, accomplice, type(uint128).max);
        _assertHonestIsPaid();
    }

    /// @dev The accomplice's claim, lowered by a slash, is not made whole out of what covers the honest miner.
    function test_aSlashedClaimIsNotMadeGoodByOthersEscrow() public {
        vm.prank(coordinator);
        payments.noticeLine(coordinator, honest, 0);
        _skip(THAW);
        payments.applyNotice(coordinator, honest);
        _claimAllOf(600_000 ether);
        // The bond leaves but for the reserve; the honest miner's line stands on escrow alone.
        _deposit(coordinator, LINE);
        _raise(coordinator, honest, LINE);
        _unbond(coordinator, _bond(coordinator) - payments.requiredBondWei(coordinator));
        (uint256 bondWei, uint256 thawingWei) = staking.bondOf(coordinator);
        _slash(coordinator, (bondWei + thawingWei) / 10);
        vm.expectPartialRevert(IPayments.CoverTooLow.selector);
        payments.cover(_list(1));
        (uint256 paidWei,) = _redeem(coordinator, honest, LINE);
        vm.assertEq(paidWei, LINE, "paid at once");
    }

    /// @dev An accomplice's voucher that empties the escrow and leaves a claim over the rest.
    function _claimAllOf(uint256 amountWei) private {
        _raise(coordinator, accomplice, amountWei);
        _redeem(coordinator, accomplice, amountWei);
        vm.assertEq(payments.getClaim(1).amountWei, amountWei - ESCROW, "claim");
    }
}
