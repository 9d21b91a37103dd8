// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IPayments} from "../../../src/interfaces/IPayments.sol";
import {Role} from "../../../src/interfaces/Role.sol";
import {Voucher} from "../../../src/libraries/Signed.sol";
import {Pool} from "../../../src/libraries/SharePool.sol";
import {vm} from "../../utils/Vm.sol";
import {World} from "./World.sol";

/// @notice Escrow, lines, vouchers and claims on bonds, and the draw epochs of coordinators.
abstract contract PaymentActions is World {
    /// @dev A line that was ever opened.
    struct Line {
        address coordinator;
        address miner;
        uint256 signedWei;
    }

    /// @dev A claim with the shares that it bought in the coordinator's thaw queue, as the queue showed them.
    struct BondClaim {
        uint256 id;
        address coordinator;
        uint256 shares;
        uint256 generation;
        bool open;
        bool penalised;
    }

    struct Secret {
        address coordinator;
        uint64 epoch;
        bool open;
    }

    Line[] private _openedLines;
    mapping(address coordinator => mapping(address miner => uint256)) private _lineNumber;
    BondClaim[] private _bondClaims;
    Secret[] private _secrets;

    function allLines() external view returns (Line[] memory) {
        return _openedLines;
    }

    function allClaims() external view returns (BondClaim[] memory) {
        return _bondClaims;
    }

    // ---- escrow ----

    function deposit(uint256 coordinatorSeed, uint256 amountSeed) external counted {
        address coordinator = _coordinatorOf(coordinatorSeed);
        if (!_coordinates(coordinator)) return;
        _deposit(coordinator, _bound(amountSeed, 1, 10_000 ether));
        ++done[msg.sig];
    }

    function askEscrowBack(uint256 coordinatorSeed, uint256 amountSeed) external counted {
        address coordinator = _coordinatorOf(coordinatorSeed);
        IPayments.CoordinatorView memory books = payments.getCoordinator(coordinator);
        uint256 availableWei = books.escrowWei - books.thawingWei;
        // Seldom again, since that starts the thaw of both anew.
        if (availableWei == 0 || (books.thawingWei != 0 && amountSeed % 8 != 0)) return;
        bytes memory call_ = abi.encodeCall(payments.requestWithdrawal, (_bound(amountSeed, 1, availableWei)));
        if (!_try(coordinator, address(payments), 0, call_, IPayments.CoverTooLow.selector)) return;
        _mustBeCovered(coordinator);
        ++done[msg.sig];
    }

    function withdrawEscrow(uint256 coordinatorSeed) external counted {
        address coordinator = _coordinatorOf(coordinatorSeed);
        if (payments.getCoordinator(coordinator).thawingWei == 0) coordinator = _coordinatorOf(coordinatorSeed ^ 1);
        IPayments.CoordinatorView memory books = payments.getCoordinator(coordinator);
        if (books.thawingWei == 0) return;
        bool early = _now() < books.releaseAt;
        uint256 beforeWei = coordinator.balance;
        bytes memory call_ = abi.encodeCall(payments.withdraw, (payable(coordinator)));
        bool paid =
            _try(coordinator, address(payments), 0, call_, early ? IPayments.EscrowNotReleased.selector : bytes4(0));
        _must(!(early && paid), "nothingLeavesBeforeItsTime: escrow");
        if (!paid) return;
        _must(coordinator.balance - beforeWei == books.thawingWei, "paymentsBalanceIsTheEscrow: paid");
        ++done[msg.sig];
    }

    // ---- lines ----

    function raiseLine(uint256 coordinatorSeed, uint256 minerSeed, uint256 amountSeed, uint256 whoSeed)
        external
        counted
    {
        (address coordinator, address miner) = (_coordinatorOf(coordinatorSeed), _node(minerSeed));
        if (!_coordinates(coordinator) || staking.roleOf(miner) != Role.Miner) return;
        // Often what escrow covers, often what only the bond does, sometimes all that is left of it.
        uint256 amountWei = _bound(amountSeed, 0, amountSeed % 2 == 0 ? 300_000 ether : 5_000 ether);
        if (amountSeed % 8 == 1) amountWei = _uncommittedWei(coordinator);
        bytes memory call_ = abi.encodeCall(payments.raiseLines, (coordinator, _list(miner), _list(amountWei)));
        address caller = _either(coordinator, whoSeed);
        if (!_try(caller, address(payments), 0, call_, IPayments.CoverTooLow.selector)) return;
        _mustBeCovered(coordinator);
        if (_lineNumber[coordinator][miner] == 0) {
            _openedLines.push(Line(coordinator, miner, 0));
            _lineNumber[coordinator][miner] = _openedLines.length;
        }
        ++done[msg.sig];
    }

    /// @dev By how much lines may rise on escrow and half the bond.
    function _uncommittedWei(address coordinator) private view returns (uint256) {
        IPayments.CoordinatorView memory books = payments.getCoordinator(coordinator);
        (uint256 bondWei,) = staking.bondOf(coordinator);
        uint256 coverWei = books.escrowWei - books.thawingWei + bondWei / 2;
        return coverWei > books.openWei ? coverWei - books.openWei : 0;
    }

    function noticeLine(uint256 pickSeed, uint256 capSeed, uint256 whoSeed) external counted {
        if (_openedLines.length == 0) return;
        Line storage picked = _openedLines[pickSeed % _openedLines.length];
        IPayments.LineView memory line = payments.getLine(picked.coordinator, picked.miner);
        // A later notice waits a whole thaw again.
        if (line.noticeAt != 0 && capSeed % 8 != 0) return;
        vm.prank(_either(picked.coordinator, whoSeed));
        payments.noticeLine(
            picked.coordinator, picked.miner, _bound(capSeed, line.redeemedWei, line.redeemedWei + line.lineWei)
        );
        ++done[msg.sig];
    }

    /// @dev One that is there.
    function applyNotice(uint256 pickSeed) external counted {
        uint256 count = _openedLines.length;
        for (uint256 i = 0; i < count; ++i) {
            Line storage picked = _openedLines[(i + pickSeed % count) % count];
            uint64 noticeAt = payments.getLine(picked.coordinator, picked.miner).noticeAt;
            if (noticeAt == 0) continue;
            if (_applyNotice(picked, _now() < noticeAt)) ++done[msg.sig];
            return;
        }
    }

    function _applyNotice(Line storage line, bool early) private returns (bool applied) {
        bytes memory call_ = abi.encodeCall(payments.applyNotice, (line.coordinator, line.miner));
        bytes4 allowed = early ? IPayments.NoticeNotOver.selector : bytes4(0);
        applied = _try(address(this), address(payments), 0, call_, allowed);
        _must(!(early && applied), "nothingLeavesBeforeItsTime: a line");
    }

    // ---- vouchers ----

    /// @dev A new voucher, an old one, or one that asks for more than the line.
    function redeem(uint256 pickSeed, uint256 amountSeed, uint256 kind) external {
        if (_openedLines.length == 0) return;
        Line storage picked = _openedLines[pickSeed % _openedLines.length];
        uint256 lineWei = payments.getLine(picked.coordinator, picked.miner).lineWei;
        uint256 addedWei = _bound(amountSeed, 0, kind % 4 == 0 ? 2 * lineWei : lineWei);
        uint256 cumulativeWei = picked.signedWei + addedWei;
        if (kind % 8 == 1) cumulativeWei = picked.signedWei / 2;
        Voucher memory voucher = Voucher(picked.coordinator, picked.miner, uint128(cumulativeWei), _now());
        uint256 key = _currentKey(picked.coordinator);
        if (staking.partyOf(vm.addr(key), _now()) != picked.coordinator) return;
        if (cumulativeWei > picked.signedWei) picked.signedWei = cumulativeWei;
        _redeemAs(voucher, _sign(key, voucher));
    }

    function _redeemAs(Voucher memory voucher, bytes memory signature) private giving(voucher.coordinator) {
        IPayments.LineView memory before = payments.getLine(voucher.coordinator, voucher.miner);
        Pool memory queue = harness.pools(voucher.coordinator)[2];
        uint256 incomeWei = _incomeWei(voucher.miner);
        (uint256 paidWei, uint256 claimWei) = payments.redeem(_list(voucher), _list(signature));
        earnableWei += paidWei;
        IPayments.LineView memory line = payments.getLine(voucher.coordinator, voucher.miner);
        string memory rule = "redeemedIsAtMostSigned: ";
        _must(line.redeemedWei - before.redeemedWei == paidWei + claimWei, string.concat(rule, "redeemed"));
        _must(paidWei + claimWei <= before.lineWei, string.concat(rule, "over the line"));
        _must(_incomeWei(voucher.miner) - incomeWei == paidWei, string.concat(rule, "income"));
        if (claimWei != 0) _addClaim(voucher.coordinator, queue, claimWei);
        ++done[msg.sig];
    }

    function _addClaim(address coordinator, Pool memory queue, uint256 claimWei) private {
        Pool memory after_ = harness.pools(coordinator)[2];
        uint256 shares = after_.shares - queue.shares;
        _bondClaims.push(BondClaim(_bondClaims.length + 1, coordinator, shares, after_.generation, true, false));
        bool queued = after_.assetsWei - queue.assetsWei == claimWei
            && payments.getClaim(_bondClaims.length).amountWei == claimWei;
        _must(queued, "redeemedIsAtMostSigned: claim");
    }

    /// @dev What has been credited and is not claimed yet, up to what moves between the two parts with time.
    function _incomeWei(address node) private view returns (uint256) {
        (uint256 waitingWei,) = staking.dripOf(node);
        return staking.rewardsOf(node) + harness.pools(node)[0].assetsWei + waitingWei;
    }

    // ---- claims ----

    /// @dev Whatever can be done to an open one now; what cannot yet be done must be refused.
    function settleClaim(uint256 pickSeed, uint256 kind) external {
        uint256 count = _bondClaims.length;
        for (uint256 i = 0; i < count; ++i) {
            BondClaim storage picked = _bondClaims[(i + pickSeed % count) % count];
            if (!picked.open) continue;
            IPayments.ClaimView memory claim_ = payments.getClaim(picked.id);
            if (kind % 3 == 0) _cover(picked, claim_);
            else if (kind % 3 == 1) _penalise(picked, claim_);
            else _collect(picked, claim_);
            return;
        }
    }

    function _cover(BondClaim storage picked, IPayments.ClaimView memory claim_) private giving(claim_.coordinator) {
        IPayments.CoordinatorView memory books = payments.getCoordinator(claim_.coordinator);
        if (books.escrowWei < claim_.amountWei && _coordinates(claim_.coordinator)) {
            _deposit(claim_.coordinator, claim_.amountWei - books.escrowWei);
        } else if (books.escrowWei < claim_.amountWei) {
            return;
        }
        uint256 incomeWei = _incomeWei(claim_.miner);
        bytes memory call_ = abi.encodeCall(payments.cover, (_list(picked.id)));
        if (!_try(address(this), address(payments), 0, call_, IPayments.CoverTooLow.selector)) return;
        picked.open = false;
        earnableWei += claim_.amountWei;
        _must(_incomeWei(claim_.miner) - incomeWei == claim_.amountWei, "aClaimIsPaidOnce: covered");
        _mustBeClosed(picked.id);
        ++done[msg.sig];
    }

    function _penalise(BondClaim storage picked, IPayments.ClaimView memory claim_) private counted {
        bool due = !picked.penalised && _now() >= claim_.coverUntil;
        (uint256 bondWei,) = staking.bondOf(claim_.coordinator);
        uint256 poolWei = staking.undistributedWei();
        bytes memory call_ = abi.encodeCall(payments.penalise, (picked.id));
        bool penalised =
            _try(address(this), address(payments), 0, call_, due ? bytes4(0) : IPayments.ClaimNotDue.selector);
        (uint256 leftWei,) = staking.bondOf(claim_.coordinator);
        uint256 penaltyWei = claim_.amountWei / 10 < bondWei ? claim_.amountWei / 10 : bondWei;
        _must(bondWei - leftWei == (due ? penaltyWei : 0), "aPenaltyIsATenthOnce: bond");
        _must(staking.undistributedWei() - poolWei == (due ? penaltyWei : 0), "aPenaltyIsATenthOnce: pool");
        if (!penalised) return;
        picked.penalised = true;
        ++done[msg.sig];
    }

    function _collect(BondClaim storage picked, IPayments.ClaimView memory claim_) private giving(claim_.coordinator) {
        bool due = _now() >= claim_.releaseAt;
        uint256 incomeWei = _incomeWei(claim_.miner);
        bytes memory call_ = abi.encodeCall(payments.collect, (picked.id));
        bool collected =
            _try(address(this), address(payments), 0, call_, due ? bytes4(0) : IPayments.ClaimNotReleased.selector);
        _must(!(collected && !due), "nothingLeavesBeforeItsTime: a claim");
        if (!collected) return;
        _closed(picked, claim_, incomeWei);
        ++done[msg.sig];
    }

    function _closed(BondClaim storage picked, IPayments.ClaimView memory claim_, uint256 incomeWei) private {
        picked.open = false;
        earnableWei += claim_.worthWei;
        _must(_incomeWei(claim_.miner) - incomeWei == claim_.worthWei, "aClaimIsPaidOnce: collected");
        _mustBeClosed(picked.id);
    }

    function _mustBeClosed(uint256 id) private {
        bytes memory call_ = abi.encodeCall(payments.collect, (id));
        bool again = _try(address(this), address(payments), 0, call_, IPayments.ClaimUnknown.selector);
        _must(!again, "aClaimIsPaidOnce: again");
    }

    // ---- draw epochs ----

    function commitEpoch(uint256 coordinatorSeed, uint256 aheadSeed, uint256 whoSeed) external counted {
        address coordinator = _coordinatorOf(coordinatorSeed);
        uint64 epoch = epochs.currentEpoch() + uint64(aheadSeed % 2);
        if (epochs.commitmentFor(coordinator, epoch) != 0) return;
        bytes32 commitment = epochs.commitmentOf(coordinator, epoch, _secret(coordinator, epoch));
        vm.prank(_either(coordinator, whoSeed));
        epochs.commit(coordinator, epoch, commitment);
        _secrets.push(Secret(coordinator, epoch, true));
        ++done[msg.sig];
    }

    function revealEpoch(uint256 pickSeed) external counted {
        if (_secrets.length == 0) return;
        if (_reveal(_secrets[pickSeed % _secrets.length])) ++done[msg.sig];
    }

    function _reveal(Secret storage picked) internal returns (bool) {
        if (!picked.open || _now() < (picked.epoch + 1) * DRAW) return false;
        picked.open = false;
        epochs.reveal(picked.coordinator, picked.epoch, _secret(picked.coordinator, picked.epoch));
        return true;
    }

    function suspend(uint256 pickSeed) external counted {
        if (_secrets.length == 0) return;
        Secret storage picked = _secrets[pickSeed % _secrets.length];
        if (!picked.open || _now() < (picked.epoch + 1) * DRAW + GRACE) return;
        bytes memory call_ = abi.encodeCall(epochs.suspend, (picked.coordinator, picked.epoch));
        if (_try(address(this), address(epochs), 0, call_, bytes4(keccak256("AlreadyOverdue(address,uint64)")))) {
            ++done[msg.sig];
        }
    }

    function _secret(address coordinator, uint64 epoch) private pure returns (bytes32) {
        return keccak256(abi.encode("secret", coordinator, epoch));
    }

    // ---- the end ----

    function _revealAll() internal {
        _skip(2 * DRAW);
        for (uint256 i = 0; i < _secrets.length; ++i) {
            _reveal(_secrets[i]);
        }
    }

    function _noticeAll() internal {
        for (uint256 i = 0; i < _openedLines.length; ++i) {
            Line storage line = _openedLines[i];
            uint256 redeemedWei = payments.getLine(line.coordinator, line.miner).redeemedWei;
            vm.prank(line.coordinator);
            payments.noticeLine(line.coordinator, line.miner, redeemedWei);
        }
    }

    /// @dev One thaw after {_noticeAll}: claims, lines, then escrow.
    function _freeEscrow(uint256 seed) internal {
        for (uint256 i = 0; i < _bondClaims.length; ++i) {
            BondClaim storage picked = _bondClaims[(i + seed % _bondClaims.length) % _bondClaims.length];
            if (!picked.open) continue;
            picked.open = false;
            earnableWei += payments.collect(picked.id);
        }
        for (uint256 i = 0; i < _openedLines.length; ++i) {
            payments.applyNotice(_openedLines[i].coordinator, _openedLines[i].miner);
        }
        for (uint256 i = 0; i < NODES; ++i) {
            IPayments.CoordinatorView memory books = payments.getCoordinator(actors[i]);
            _must(books.openWei + books.claimsWei + books.requiredBondWei == 0, "everyExitCanBeWithdrawn: bound");
            if (books.escrowWei == books.thawingWei) continue;
            vm.prank(actors[i]);
            payments.requestWithdrawal(books.escrowWei - books.thawingWei);
        }
    }

    /// @dev One thaw after {_freeEscrow}.
    function _withdrawEscrows() internal {
        for (uint256 i = 0; i < NODES; ++i) {
            if (payments.getCoordinator(actors[i]).thawingWei == 0) continue;
            vm.prank(actors[i]);
            payments.withdraw(payable(actors[i]));
        }
    }

    function _coordinates(address node) private view returns (bool) {
        return staking.roleOf(node) == Role.Coordinator;
    }
}
