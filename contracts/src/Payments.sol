// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Parties} from "./Parties.sol";
import {IPayments} from "./interfaces/IPayments.sol";
import {Role} from "./interfaces/Role.sol";
import {IStakingHooks} from "./interfaces/IStakingHooks.sol";
import {Signed, Voucher} from "./libraries/Signed.sol";

/// @title Payments
/// @notice Holds coordinators' escrow; see {IPayments} for what each function promises.
///
/// Lines are *covered* while they fit escrow + half the bond that no penalty needs. Raising lines, asking escrow back,
/// covering a claim and thawing bond ask for it; paying a voucher, opening and penalising a claim keep it by
/// themselves. So only a slash breaks it, and the other half of the bond is the margin for that.
///
/// Calls go to Staking, which calls nobody in turn, and in {withdraw} to the receiver, last.
contract Payments is IPayments, Parties, ReentrancyGuardTransient {
    using SafeCast for uint256;
    using Signed for Voucher;

    /// @dev Slot by slot: a redemption from escrow needs the first alone.
    struct Coordinator {
        uint96 escrowWei;
        uint96 openWei;
        // 0 when nothing is asked back.
        uint40 releaseAt;
        // ---
        // What was asked back. More than the escrow where vouchers have used it up since: see {_thawingWei}.
        uint96 thawingWei;
        uint96 claimsWei;
        // ---
        // Part of the claims.
        uint96 penalisedWei;
    }

    struct Line {
        uint96 redeemedWei;
        uint96 capWei;
        // 0 when there is no notice.
        uint40 noticeAt;
        // ---
        uint96 noticedCapWei;
    }

    struct Claim {
        address coordinator;
        uint40 openedAt;
        bool penalised;
        // ---
        address miner;
        uint96 amountWei;
        // ---
        uint128 shares;
        uint32 generation;
    }

    /// @dev Of a claim that is not covered in time: a tenth.
    uint256 private constant PENALTY_PART = 10;

    /// @inheritdoc IPayments
    uint64 public immutable topUpSeconds;
    uint64 private immutable _thawSeconds;

    mapping(address coordinator => Coordinator) private _coordinators;
    mapping(address coordinator => mapping(address miner => Line)) private _lines;
    mapping(uint256 claimId => Claim) private _claims;
    uint256 private _claimCount;

    /// @param staking_ names this contract as its payments contract
    /// @param topUpSeconds_ time to cover a claim, above 0 and below the thaw
    constructor(IStakingHooks staking_, uint64 topUpSeconds_) Parties(staking_) {
        if (staking_.payments() != address(this)) revert ParameterInvalid("staking");
        _thawSeconds = staking_.thawSeconds();
        if (topUpSeconds_ == 0 || topUpSeconds_ >= _thawSeconds) revert ParameterInvalid("topUpSeconds");
        topUpSeconds = topUpSeconds_;
    }

    // ---- escrow ----

    /// @inheritdoc IPayments
    function deposit(address coordinator) external payable {
        if (msg.value == 0) revert AmountZero();
        _requireCoordinator(coordinator);
        Coordinator storage books = _coordinators[coordinator];
        // What was asked back and is spent does not come out of the new money.
        if (books.releaseAt != 0) books.thawingWei = _thawingWei(books).toUint96();
        books.escrowWei = (books.escrowWei + msg.value).toUint96();
        emit EscrowDeposited(coordinator, msg.sender, msg.value);
    }

    /// @inheritdoc IPayments
    function requestWithdrawal(uint256 amountWei) external {
        if (amountWei == 0) revert AmountZero();
        Coordinator storage books = _coordinators[msg.sender];
        uint256 availableWei = _availableWei(books);
        if (amountWei > availableWei) revert EscrowTooLow(availableWei, amountWei);
        uint40 releaseAt = _thawEnd();
        books.thawingWei = (_thawingWei(books) + amountWei).toUint96();
        books.releaseAt = releaseAt;
        _requireCovered(msg.sender, true);
        emit EscrowThawStarted(msg.sender, amountWei, releaseAt);
    }

    /// @inheritdoc IPayments
    function withdraw(address payable to) external nonReentrant {
        if (to == address(0)) revert ParameterInvalid("to");
        Coordinator storage books = _coordinators[msg.sender];
        uint40 releaseAt = books.releaseAt;
        if (releaseAt == 0 || block.timestamp < releaseAt) revert EscrowNotReleased(releaseAt);
        uint256 amountWei = _thawingWei(books);
        if (amountWei == 0) revert AmountZero();
        books.escrowWei -= amountWei.toUint96();
        (books.releaseAt, books.thawingWei) = (0, 0);
        emit EscrowWithdrawn(msg.sender, to, amountWei);
        // Nothing of the receiver's return data is copied, so it cannot make the caller pay for memory.
        bool paid;
        assembly ("memory-safe") {
            paid := call(gas(), to, amountWei, 0, 0, 0, 0)
        }
        if (!paid) revert TransferFailed(to, amountWei);
    }

    // ---- lines ----

    /// @inheritdoc IPayments
    function raiseLines(address coordinator, address[] calldata miners, uint256[] calldata addedWei) external {
        if (miners.length != addedWei.length) revert LengthMismatch(miners.length, addedWei.length);
        _requireActing(coordinator);
        _requireCoordinator(coordinator);
        uint256 openWei = _coordinators[coordinator].openWei;
        for (uint256 i = 0; i < miners.length; ++i) {
            if (staking.roleOf(miners[i]) != Role.Miner) revert NotMiner(miners[i]);
            openWei -= _endNotice(coordinator, miners[i]);
            openWei += addedWei[i];
            Line storage line = _lines[coordinator][miners[i]];
            line.noticeAt = 0;
            line.capWei = (line.capWei + addedWei[i]).toUint96();
            emit LineRaised(coordinator, miners[i], addedWei[i], line.capWei);
        }
        _coordinators[coordinator].openWei = openWei.toUint96();
        _requireCovered(coordinator, msg.sender == coordinator);
    }

    /// @inheritdoc IPayments
    function noticeLine(address coordinator, address miner, uint256 capWei) external {
        _requireActing(coordinator);
        _shrink(coordinator, miner);
        Line storage line = _lines[coordinator][miner];
        if (capWei < line.redeemedWei || capWei > line.capWei) {
            revert CapInvalid(capWei, line.redeemedWei, line.capWei);
        }
        uint40 noticeAt = _thawEnd();
        (line.noticeAt, line.noticedCapWei) = (noticeAt, capWei.toUint96());
        emit LineNoticed(coordinator, miner, capWei, noticeAt);
    }

    /// @inheritdoc IPayments
    function applyNotice(address coordinator, address miner) external {
        uint40 noticeAt = _lines[coordinator][miner].noticeAt;
        if (noticeAt == 0) revert NoNotice(coordinator, miner);
        if (block.timestamp < noticeAt) revert NoticeNotOver(noticeAt);
        _shrink(coordinator, miner);
    }

    // ---- vouchers ----

    /// @inheritdoc IPayments
    function redeem(Voucher[] calldata vouchers, bytes[] calldata signatures)
        external
        nonReentrant
        returns (uint256 paidWei, uint256 claimedWei)
    {
        uint256 count = vouchers.length;
        if (count != signatures.length) revert LengthMismatch(count, signatures.length);
        // Successive vouchers to one miner are credited in one call.
        uint256 creditWei;
        for (uint256 i = 0; i < count; ++i) {
            (uint256 fromEscrowWei, uint256 fromBondWei) = _redeem(vouchers[i], signatures[i]);
            claimedWei += fromBondWei;
            creditWei += fromEscrowWei;
            address miner = vouchers[i].miner;
            if (creditWei == 0 || (i + 1 < count && vouchers[i + 1].miner == miner)) continue;
            paidWei += creditWei;
            staking.creditIncome{value: creditWei}(miner);
            creditWei = 0;
        }
    }

    // ---- claims on the bond ----

    /// @inheritdoc IPayments
    function cover(uint256[] calldata claimIds) external nonReentrant {
        for (uint256 i = 0; i < claimIds.length; ++i) {
            uint256 id = claimIds[i];
            Claim memory claim = _claim(id);
            if (block.timestamp >= _coverUntil(claim)) _penalise(id, claim);
            Coordinator storage books = _coordinators[claim.coordinator];
            uint96 escrowWei = books.escrowWei;
            if (escrowWei < claim.amountWei) revert EscrowTooLow(escrowWei, claim.amountWei);
            books.escrowWei = escrowWei - claim.amountWei;
            _close(id, claim);
            uint256 returnedWei = staking.returnClaim(claim.coordinator, claim.shares, claim.generation);
            // A claim that a slash has lowered gives the bond less back than escrow pays: not at other miners' cost.
            _requireCovered(claim.coordinator, true);
            emit ClaimCovered(id, claim.amountWei, returnedWei);
            staking.creditIncome{value: claim.amountWei}(claim.miner);
        }
    }

    /// @inheritdoc IPayments
    function penalise(uint256 claimId) external {
        Claim memory claim = _claim(claimId);
        uint64 coverUntil = _coverUntil(claim);
        if (claim.penalised || block.timestamp < coverUntil) revert ClaimNotDue(claimId, coverUntil);
        _penalise(claimId, claim);
    }

    /// @inheritdoc IPayments
    function collect(uint256 claimId) external nonReentrant returns (uint256 amountWei) {
        Claim memory claim = _claim(claimId);
        uint64 releaseAt = _releaseAt(claim);
        if (block.timestamp < releaseAt) revert ClaimNotReleased(claimId, releaseAt);
        _penalise(claimId, claim);
        _close(claimId, claim);
        amountWei = staking.payClaim(claim.coordinator, claim.shares, claim.generation, claim.miner);
        emit ClaimCollected(claimId, amountWei);
    }

    // ---- views ----

    /// @inheritdoc IPayments
    function requiredBondWei(address coordinator) public view returns (uint256) {
        Coordinator storage books = _coordinators[coordinator];
        return 2 * Math.saturatingSub(books.openWei, _availableWei(books)) + _reservedWei(books);
    }

    /// @inheritdoc IPayments
    function getCoordinator(address coordinator) external view returns (CoordinatorView memory) {
        Coordinator storage books = _coordinators[coordinator];
        return CoordinatorView({
            escrowWei: books.escrowWei,
            thawingWei: _thawingWei(books),
            releaseAt: books.releaseAt,
            openWei: books.openWei,
            claimsWei: books.claimsWei,
            requiredBondWei: requiredBondWei(coordinator)
        });
    }

    /// @inheritdoc IPayments
    function getLine(address coordinator, address miner) external view returns (LineView memory) {
        Line memory line = _lines[coordinator][miner];
        return LineView({
            capWei: line.capWei,
            redeemedWei: line.redeemedWei,
            lineWei: _capInForce(line) - line.redeemedWei,
            noticedCapWei: line.noticeAt == 0 ? 0 : line.noticedCapWei,
            noticeAt: line.noticeAt
        });
    }

    /// @inheritdoc IPayments
    function getClaim(uint256 claimId) external view returns (ClaimView memory) {
        Claim memory claim = _claim(claimId);
        return ClaimView({
            coordinator: claim.coordinator,
            miner: claim.miner,
            amountWei: claim.amountWei,
            worthWei: staking.claimWorth(claim.coordinator, claim.shares, claim.generation),
            coverUntil: _coverUntil(claim),
            releaseAt: _releaseAt(claim),
            penalised: claim.penalised
        });
    }

    /// @inheritdoc IPayments
    function previewRedeem(address coordinator, address miner, uint256 cumulativeWei)
        external
        view
        returns (uint256 paidWei, uint256 claimedWei)
    {
        Line memory line = _lines[coordinator][miner];
        uint256 dueWei = Math.saturatingSub(Math.min(cumulativeWei, _capInForce(line)), line.redeemedWei);
        paidWei = Math.min(dueWei, _coordinators[coordinator].escrowWei);
        (uint256 bondWei,) = staking.bondOf(coordinator);
        claimedWei = Math.min(dueWei - paidWei, bondWei);
    }

    // ---- inside ----

    function _requireActing(address coordinator) private view {
        if (!staking.actsFor(msg.sender, coordinator)) revert NotActing(msg.sender, coordinator);
    }

    function _requireCoordinator(address node) private view {
        if (staking.roleOf(node) != Role.Coordinator) revert NotCoordinator(node);
    }

    /// @param onBond whether the bond may stand for lines: not for an operator, whose hot key may be stolen
    function _requireCovered(address coordinator, bool onBond) private view {
        Coordinator storage books = _coordinators[coordinator];
        (uint256 openWei, uint256 coverWei) = (books.openWei, _availableWei(books));
        if (openWei <= coverWei) return;
        // Bond of a node that is no coordinator any more could leave unasked.
        if (onBond && staking.roleOf(coordinator) == Role.Coordinator) {
            (uint256 bondWei,) = staking.bondOf(coordinator);
            coverWei += Math.saturatingSub(bondWei, _reservedWei(books)) / 2;
        }
        if (openWei > coverWei) revert CoverTooLow(coverWei, openWei);
    }

    function _thawingWei(Coordinator storage books) private view returns (uint256) {
        return books.releaseAt == 0 ? 0 : Math.min(books.thawingWei, books.escrowWei);
    }

    function _availableWei(Coordinator storage books) private view returns (uint256) {
        return books.escrowWei - _thawingWei(books);
    }

    /// @dev Bond for penalties to come, and 1 wei so that the coordinator stays registered while a claim is open.
    function _reservedWei(Coordinator storage books) private view returns (uint256) {
        uint256 claimsWei = books.claimsWei;
        return claimsWei == 0 ? 0 : (claimsWei - books.penalisedWei) / PENALTY_PART + 1;
    }

    function _capInForce(Line memory line) private view returns (uint256) {
        if (line.noticeAt == 0 || block.timestamp < line.noticeAt) return line.capWei;
        // Until the notice was over, vouchers were redeemed up to the old cap.
        return Math.max(line.noticedCapWei, line.redeemedWei);
    }

    /// @dev Ends a notice that is over. The caller takes what the line lost off the coordinator's open lines.
    function _endNotice(address coordinator, address miner) private returns (uint256 lostWei) {
        Line storage line = _lines[coordinator][miner];
        uint40 noticeAt = line.noticeAt;
        if (noticeAt == 0 || block.timestamp < noticeAt) return 0;
        uint256 capWei = _capInForce(line);
        lostWei = line.capWei - capWei;
        (line.capWei, line.noticeAt, line.noticedCapWei) = (capWei.toUint96(), 0, 0);
        emit LineShrunk(coordinator, miner, capWei);
    }

    function _shrink(address coordinator, address miner) private {
        uint256 lostWei = _endNotice(coordinator, miner);
        if (lostWei != 0) _coordinators[coordinator].openWei -= lostWei.toUint96();
    }

    function _redeem(Voucher calldata voucher, bytes calldata signature)
        private
        returns (uint256 paidWei, uint256 claimedWei)
    {
        (address coordinator, address miner) = (voucher.coordinator, voucher.miner);
        _shrink(coordinator, miner);
        Line storage line = _lines[coordinator][miner];
        uint256 dueWei = Math.saturatingSub(Math.min(voucher.cumulativeWei, line.capWei), line.redeemedWei);
        if (dueWei == 0) return (0, 0);
        _requireSigned(voucher, signature);

        Coordinator storage books = _coordinators[coordinator];
        uint256 claimId;
        paidWei = Math.min(dueWei, books.escrowWei);
        if (paidWei < dueWei) (claimedWei, claimId) = _claimBond(coordinator, miner, dueWei - paidWei);
        dueWei = paidWei + claimedWei;
        if (dueWei == 0) return (0, 0);
        line.redeemedWei += dueWei.toUint96();
        books.escrowWei -= paidWei.toUint96();
        books.openWei -= dueWei.toUint96();
        emit VoucherRedeemed(coordinator, miner, voucher.cumulativeWei, paidWei, claimedWei, claimId);
    }

    function _requireSigned(Voucher calldata voucher, bytes calldata signature) private view {
        bytes32 digest = _digest(voucher.hash());
        (bool counts, address signer) = _isSignedBy(voucher.coordinator, digest, signature, voucher.issuedAt);
        if (!counts) revert SignatureInvalid(signer, voucher.coordinator);
    }

    /// @dev How much bond there is only Staking knows: the one call before all effects are done.
    function _claimBond(address coordinator, address miner, uint256 lackingWei)
        private
        returns (uint256 takenWei, uint256 claimId)
    {
        uint128 shares;
        uint32 generation;
        (takenWei, shares, generation) = staking.claimBond(coordinator, lackingWei);
        if (takenWei == 0) return (0, 0);
        claimId = ++_claimCount;
        uint96 amountWei = takenWei.toUint96();
        _claims[claimId] = Claim({
            coordinator: coordinator,
            openedAt: block.timestamp.toUint40(),
            penalised: false,
            miner: miner,
            amountWei: amountWei,
            shares: shares,
            generation: generation
        });
        _coordinators[coordinator].claimsWei += amountWei;
    }

    function _claim(uint256 claimId) private view returns (Claim memory claim) {
        claim = _claims[claimId];
        if (claim.coordinator == address(0)) revert ClaimUnknown(claimId);
    }

    /// @dev Once per claim: nothing where it is done.
    function _penalise(uint256 claimId, Claim memory claim) private {
        if (claim.penalised) return;
        claim.penalised = true;
        _claims[claimId].penalised = true;
        _coordinators[claim.coordinator].penalisedWei += claim.amountWei;
        emit ClaimPenalised(claimId, staking.penalise(claim.coordinator, claim.amountWei / PENALTY_PART));
    }

    function _close(uint256 claimId, Claim memory claim) private {
        Coordinator storage books = _coordinators[claim.coordinator];
        books.claimsWei -= claim.amountWei;
        if (claim.penalised) books.penalisedWei -= claim.amountWei;
        delete _claims[claimId];
    }

    function _coverUntil(Claim memory claim) private view returns (uint64) {
        return claim.openedAt + topUpSeconds;
    }

    function _releaseAt(Claim memory claim) private view returns (uint64) {
        return claim.openedAt + _thawSeconds;
    }

    function _thawEnd() private view returns (uint40) {
        return (block.timestamp + _thawSeconds).toUint40();
    }
}
