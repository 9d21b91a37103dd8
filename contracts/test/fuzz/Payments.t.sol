// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IPayments} from "../../src/interfaces/IPayments.sol";
import {Role} from "../../src/interfaces/Role.sol";
import {IStakingHooks} from "../../src/interfaces/IStakingHooks.sol";
import {PaymentsBase} from "../utils/PaymentsBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Random histories of two coordinators and two miners. After each step: the balance is the escrow, the open
/// lines add up, what was paid and claimed is what was redeemed, nobody got more than was signed for it, and, while
/// nobody is slashed, all lines are covered.
contract PaymentsFuzz is PaymentsBase {
    uint256 private constant STEPS = 16;

    address[2] private coordinators = [coordinator, vm.addr(_key("second"))];
    address[2] private miners = [miner, other];
    uint256[2] private keys = [_key("operator"), _key("second's operator")];

    mapping(address => mapping(address => uint256)) private signedWei;
    uint256 private withdrawnWei;
    uint256 private depositedWei;
    uint256 private paidWei;
    uint256 private claimedWei;
    uint256 private coveredWei;
    uint256[] private claims;
    bool private slashed;

    function setUp() public override {
        super.setUp();
        staking.setNode{value: BOND}(coordinators[1], vm.addr(keys[1]), Role.Coordinator);
    }

    function testFuzz_historiesKeepTheBooks(uint256 seed) public {
        for (uint256 i = 0; i < STEPS; ++i) {
            seed = uint256(keccak256(abi.encode(seed, i)));
            _step(seed % 14, coordinators[(seed >> 8) % 2], miners[(seed >> 9) % 2], (seed >> 16) % 40 ether);
            _check();
        }
        _settleEverything();
    }

    function _step(uint256 kind, address from, address to, uint256 amountWei) private {
        if (kind <= 1) return _depositFrom(from, amountWei + 1);
        if (kind <= 3) return _raiseFrom(from, to, amountWei, kind == 2);
        if (kind <= 6) return _redeemFrom(from, to, amountWei, kind == 4);
        if (kind == 7) return _noticeFrom(from, to, amountWei);
        if (kind == 8) return _requestFrom(from, amountWei);
        if (kind == 9) return _withdrawFrom(from);
        if (kind == 10) return _unbondFrom(from, amountWei);
        if (kind == 11) return _skip(amountWei % 4 days);
        if (kind == 12) return _settleClaim(amountWei);
        // Few histories know a slash, so that most of them must keep lines covered.
        if (amountWei % 4 != 0) return;
        slashed = true;
        staking.slash(from, amountWei, 0, 2_500, 1);
    }

    function _depositFrom(address from, uint256 amountWei) private {
        payments.deposit{value: amountWei}(from);
        depositedWei += amountWei;
    }

    function _raiseFrom(address from, address to, uint256 amountWei, bool byOwner) private {
        address caller = byOwner ? from : vm.addr(keys[from == coordinator ? 0 : 1]);
        vm.prank(caller);
        try payments.raiseLines(from, _list(to), _list(amountWei)) {
            vm.assertLe(payments.getCoordinator(from).openWei, _cover(from, byOwner), "a raise is covered");
        } catch (bytes memory reason) {
            vm.assertTrue(bytes4(reason) == IPayments.CoverTooLow.selector, "raise");
        }
    }

    /// @dev An old voucher, or one over something new; it may be over the line, and comes twice.
    function _redeemFrom(address from, address to, uint256 amountWei, bool old) private {
        uint256 cumulativeWei = old ? signedWei[from][to] / 2 : signedWei[from][to] + amountWei;
        if (!old) signedWei[from][to] = cumulativeWei;
        (uint256 expectedPaid, uint256 expectedClaimed) = payments.previewRedeem(from, to, cumulativeWei);
        uint256 before = _income(to);
        uint256 redeemedWei = payments.getLine(from, to).redeemedWei;
        (uint256 paid, uint256 claimed) = _redeemSigned(from, to, cumulativeWei);
        vm.assertEq(paid, expectedPaid, "paid as previewed");
        vm.assertEq(claimed, expectedClaimed, "claimed as previewed");
        vm.assertEq(_income(to) - before, paid, "income");
        vm.assertEq(payments.getLine(from, to).redeemedWei - redeemedWei, paid + claimed, "redeemed");
        (paidWei, claimedWei) = (paidWei + paid, claimedWei + claimed);
        if (claimed != 0) claims.push(claims.length + 1);
        if (paid + claimed < expectedPaid + expectedClaimed) return;
        (paid, claimed) = _redeemSigned(from, to, redeemedWei);
        vm.assertEq(paid + claimed, 0, "not twice");
    }

    function _redeemSigned(address from, address to, uint256 cumulativeWei) private returns (uint256, uint256) {
        return _redeem(_voucherFrom(from, to, cumulativeWei), keys[from == coordinator ? 0 : 1]);
    }

    function _noticeFrom(address from, address to, uint256 amountWei) private {
        IPayments.LineView memory line = payments.getLine(from, to);
        vm.prank(from);
        payments.noticeLine(from, to, line.redeemedWei + (line.lineWei == 0 ? 0 : amountWei % line.lineWei));
    }

    function _requestFrom(address from, uint256 amountWei) private {
        IPayments.CoordinatorView memory books = payments.getCoordinator(from);
        if (books.escrowWei == books.thawingWei) return;
        vm.prank(from);
        try payments.requestWithdrawal(amountWei % (books.escrowWei - books.thawingWei) + 1) {
            vm.assertLe(payments.getCoordinator(from).openWei, _cover(from, true), "a request leaves cover");
        } catch (bytes memory reason) {
            vm.assertTrue(bytes4(reason) == IPayments.CoverTooLow.selector, "request");
        }
    }

    function _withdrawFrom(address from) private {
        IPayments.CoordinatorView memory books = payments.getCoordinator(from);
        if (books.thawingWei == 0 || vm.getBlockTimestamp() < books.releaseAt) return;
        uint256 before = stranger.balance;
        vm.prank(from);
        payments.withdraw(payable(stranger));
        vm.assertEq(stranger.balance - before, books.thawingWei, "withdrawn");
        withdrawnWei += books.thawingWei;
    }

    function _unbondFrom(address from, uint256 amountWei) private {
        (uint256 bondWei,) = staking.bondOf(from);
        try staking.unbond(from, amountWei < bondWei ? amountWei : bondWei) {
            vm.assertLe(payments.getCoordinator(from).openWei, _cover(from, true), "a thaw leaves cover");
        } catch (bytes memory reason) {
            vm.assertTrue(bytes4(reason) == IStakingHooks.BondCommitted.selector, "unbond");
        }
    }

    /// @dev Whatever can be done to a claim now: penalised, collected or covered.
    function _settleClaim(uint256 pick) private {
        if (claims.length == 0) return;
        uint256 id = claims[pick % claims.length];
        try payments.getClaim(id) returns (IPayments.ClaimView memory claim) {
            uint256 before = _income(claim.miner);
            if (vm.getBlockTimestamp() >= claim.releaseAt) {
                payments.collect(id);
                vm.assertEq(_income(claim.miner) - before, claim.worthWei, "collected");
            } else if (vm.getBlockTimestamp() >= claim.coverUntil && !claim.penalised) {
                payments.penalise(id);
            } else {
                _coverClaim(id, claim, before);
            }
        } catch {}
    }

    function _coverClaim(uint256 id, IPayments.ClaimView memory claim, uint256 before) private {
        try payments.cover(_list(id)) {
            coveredWei += claim.amountWei;
            vm.assertEq(_income(claim.miner) - before, claim.amountWei, "covered in full");
            vm.assertLe(
                payments.getCoordinator(claim.coordinator).openWei,
                _cover(claim.coordinator, true),
                "lines stay covered"
            );
        } catch (bytes memory reason) {
            bool escrow = bytes4(reason) == IPayments.EscrowTooLow.selector;
            vm.assertTrue(escrow || bytes4(reason) == IPayments.CoverTooLow.selector, "cover");
        }
    }

    function _cover(address from, bool onBond) private view returns (uint256 coverWei) {
        IPayments.CoordinatorView memory books = payments.getCoordinator(from);
        coverWei = books.escrowWei - books.thawingWei;
        if (!onBond) return coverWei;
        (uint256 bondWei,) = staking.bondOf(from);
        coverWei += bondWei / 2;
    }

    function _check() private view {
        uint256 escrowWei;
        uint256 redeemedWei;
        for (uint256 i = 0; i < 2; ++i) {
            IPayments.CoordinatorView memory books = payments.getCoordinator(coordinators[i]);
            escrowWei += books.escrowWei;
            uint256 openWei;
            for (uint256 j = 0; j < 2; ++j) {
                IPayments.LineView memory line = payments.getLine(coordinators[i], miners[j]);
                openWei += line.capWei - line.redeemedWei;
                redeemedWei += line.redeemedWei;
                vm.assertLe(line.redeemedWei, signedWei[coordinators[i]][miners[j]], "redeemed <= signed");
                vm.assertLe(line.redeemedWei, line.capWei, "redeemed <= cap");
            }
            vm.assertEq(books.openWei, openWei, "open = sum of lines");
            if (slashed) continue;
            vm.assertLe(openWei, _cover(coordinators[i], true), "lines <= escrow + bond / 2");
            if (openWei <= books.escrowWei - books.thawingWei) continue;
            (uint256 bondWei,) = staking.bondOf(coordinators[i]);
            vm.assertLe(books.requiredBondWei, bondWei, "required <= bond");
        }
        vm.assertEq(address(payments).balance, escrowWei, "balance = escrow");
        vm.assertEq(depositedWei, escrowWei + withdrawnWei + paidWei + coveredWei, "deposited");
        vm.assertEq(redeemedWei, paidWei + claimedWei, "redeemed = paid + claimed");
    }

    /// @dev Every wei has an exit: claims, lines, escrow and bond.
    function _settleEverything() private {
        for (uint256 i = 0; i < 4; ++i) {
            uint256 redeemedWei = payments.getLine(coordinators[i / 2], miners[i % 2]).redeemedWei;
            vm.prank(coordinators[i / 2]);
            payments.noticeLine(coordinators[i / 2], miners[i % 2], redeemedWei);
        }
        _skip(THAW);
        for (uint256 i = 0; i < claims.length; ++i) {
            try payments.collect(claims[i]) {}
            catch (bytes memory reason) {
                vm.assertTrue(bytes4(reason) == IPayments.ClaimUnknown.selector, "collect");
            }
        }
        for (uint256 i = 0; i < 4; ++i) {
            payments.applyNotice(coordinators[i / 2], miners[i % 2]);
        }
        for (uint256 i = 0; i < 2; ++i) {
            IPayments.CoordinatorView memory books = payments.getCoordinator(coordinators[i]);
            vm.assertEq(books.requiredBondWei + books.openWei + books.claimsWei, 0, "nothing holds the bond");
            (uint256 bondWei,) = staking.bondOf(coordinators[i]);
            staking.unbond(coordinators[i], bondWei);
            uint256 restWei = books.escrowWei - books.thawingWei;
            if (restWei == 0) continue;
            vm.prank(coordinators[i]);
            payments.requestWithdrawal(restWei);
        }
        _skip(THAW);
        for (uint256 i = 0; i < 2; ++i) {
            _withdrawFrom(coordinators[i]);
        }
        vm.assertEq(address(payments).balance, 0, "empty");
    }
}
