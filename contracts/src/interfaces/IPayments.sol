// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Voucher} from "../libraries/Signed.sol";

/// @title IPayments
/// @notice How coordinators pay miners. A coordinator keeps an *escrow* here and opens a *line* per miner: how much
/// that miner can still redeem. Lines are *covered* while their sum is at most escrow (what is not asked back) + half
/// of what the bond has beyond {requiredBondWei}'s reserve for claims. That is asked when a line rises, escrow is asked
/// back, a claim is covered from escrow, or bond begins to thaw; redemptions, claims and penalties keep it, so only a
/// slash breaks it. It pays with cumulative vouchers off chain; a miner redeems the newest now and then, and stops
/// working at its line.
///
/// Escrow pays at once. What escrow lacks becomes a *claim* on the coordinator's bond, which waits one thaw in the
/// bond's thaw queue, behind any slash, and never touches votes. The coordinator can cover the claim meanwhile; from
/// {topUpSeconds} on, a tenth of it is lost to the reward pool. So an honest miner is paid even by a coordinator that
/// turns bad, and a voucher to oneself is no way out for bond.
///
/// All that a miner gets is income of its node (IStakingHooks-creditIncome): part its voters', the rest its owner's to
/// claim. Nobody is privileged; all value sent here is in some coordinator's escrow.
interface IPayments {
    /// @param escrowWei all that is here for the coordinator
    /// @param thawingWei part of it that is asked back (it still pays vouchers), with `releaseAt`
    /// @param openWei sum of its lines. A notice that is over counts until {applyNotice} or a redemption on that line
    /// @param claimsWei sum of the claims that are neither covered nor collected
    /// @param requiredBondWei see {requiredBondWei}
    struct CoordinatorView {
        uint256 escrowWei;
        uint256 thawingWei;
        uint64 releaseAt;
        uint256 openWei;
        uint256 claimsWei;
        uint256 requiredBondWei;
    }

    /// @param capWei what vouchers to this miner may add up to, over all time
    /// @param redeemedWei what was paid or claimed of it, over all time
    /// @param lineWei what can be redeemed now: the cap in force less `redeemedWei`
    /// @param noticedCapWei the cap from `noticeAt` on; `noticeAt` 0: no notice
    struct LineView {
        uint256 capWei;
        uint256 redeemedWei;
        uint256 lineWei;
        uint256 noticedCapWei;
        uint64 noticeAt;
    }

    /// @param amountWei what the miner lacks
    /// @param worthWei what its shares of the thaw queue are worth now, less after a slash
    /// @param coverUntil from then on the penalty is due
    /// @param releaseAt from then on {collect} pays
    struct ClaimView {
        address coordinator;
        address miner;
        uint256 amountWei;
        uint256 worthWei;
        uint64 coverUntil;
        uint64 releaseAt;
        bool penalised;
    }

    event EscrowDeposited(address indexed coordinator, address indexed from, uint256 amountWei);
    event EscrowThawStarted(address indexed coordinator, uint256 amountWei, uint64 releaseAt);
    event EscrowWithdrawn(address indexed coordinator, address indexed to, uint256 amountWei);
    event LineRaised(address indexed coordinator, address indexed miner, uint256 addedWei, uint256 capWei);
    event LineNoticed(address indexed coordinator, address indexed miner, uint256 noticedCapWei, uint64 noticeAt);
    event LineShrunk(address indexed coordinator, address indexed miner, uint256 capWei);
    /// @notice `escrowWei` was credited at once, `claimedWei` became claim `claimId` (0: none).
    event VoucherRedeemed(
        address indexed coordinator,
        address indexed miner,
        uint256 cumulativeWei,
        uint256 escrowWei,
        uint256 claimedWei,
        uint256 claimId
    );
    event ClaimCovered(uint256 indexed claimId, uint256 amountWei, uint256 returnedWei);
    event ClaimPenalised(uint256 indexed claimId, uint256 penaltyWei);
    event ClaimCollected(uint256 indexed claimId, uint256 amountWei);

    error AmountZero();
    error NotActing(address account, address node);
    error NotCoordinator(address node);
    error NotMiner(address node);
    /// @notice Lines would need `neededWei` of cover, and there is `coverWei` (for an operator: without the bond).
    error CoverTooLow(uint256 coverWei, uint256 neededWei);
    error EscrowTooLow(uint256 availableWei, uint256 neededWei);
    error EscrowNotReleased(uint64 releaseAt);
    error SignatureInvalid(address signer, address node);
    error LengthMismatch(uint256 vouchers, uint256 signatures);
    error NoNotice(address coordinator, address miner);
    error NoticeNotOver(uint64 noticeAt);
    error CapInvalid(uint256 capWei, uint256 lowestWei, uint256 highestWei);
    error ClaimUnknown(uint256 claimId);
    error ClaimNotReleased(uint256 claimId, uint64 releaseAt);
    error ClaimNotDue(uint256 claimId, uint64 coverUntil);
    error TransferFailed(address to, uint256 amountWei);
    error ParameterInvalid(string name);

    // ---- escrow ----

    /// @notice Adds the sent value to `coordinator`'s escrow. For anybody; requires a registered coordinator.
    function deposit(address coordinator) external payable;

    /// @notice Asks back `amountWei` of the caller's escrow. Requires lines to stay covered by what is left; bond counts
    /// for a registered coordinator only. It goes on paying vouchers until withdrawn, after the rest of the escrow. A
    /// second call adds to the first and starts the thaw of both anew. For the owner.
    function requestWithdrawal(uint256 amountWei) external;

    /// @notice Pays what is asked back and still there to `to`, one thaw after the last request. For the owner.
    function withdraw(address payable to) external;

    // ---- lines ----

    /// @notice Raises the lines of `miners` by `addedWei` each, opening them where there is none, and withdraws a
    /// notice on them (0 only withdraws it). For the coordinator's owner, as long as all lines are covered; for its
    /// operator, as long as they fit escrow alone: a stolen hot key cannot commit the bond. Each must be a registered
    /// miner.
    function raiseLines(address coordinator, address[] calldata miners, uint256[] calldata addedWei) external;

    /// @notice Lowers the line's cap to `capWei`, not below what is redeemed, one thaw from now; until then vouchers
    /// are redeemed up to the old one. A later notice replaces an earlier one and waits a whole thaw again. For owner
    /// and operator: with a stolen operator key, replace the operator first, for a thief could renew its notice.
    function noticeLine(address coordinator, address miner, uint256 capWei) external;

    /// @notice Carries a notice that is over into the books, so that the cover it bound is free. For anybody.
    function applyNotice(address coordinator, address miner) external;

    // ---- vouchers ----

    /// @notice Redeems each voucher for the difference to what was redeemed before, at most up to the line. For
    /// anybody: the money is the miner's. A voucher with nothing left to pay is skipped, so nobody can spoil another's
    /// batch; one with a signature that does not count now for its coordinator (IStakingHooks-partyOf of `issuedAt`)
    /// reverts. Escrow pays first, thawing escrow included. The rest becomes one claim per voucher, at most the active
    /// bond; what is not there stays redeemable. Emits {VoucherRedeemed} for each that paid.
    /// @return paidWei credited at once, and `claimedWei` that waits, over all vouchers
    function redeem(Voucher[] calldata vouchers, bytes[] calldata signatures)
        external
        returns (uint256 paidWei, uint256 claimedWei);

    // ---- claims on the bond ----

    /// @notice Pays open claims of one or more coordinators from their escrow, in full even where a slash has lowered
    /// their worth; what the claims hold of the thaw queue goes back to the bond. Requires lines to be covered
    /// afterwards: what a slash took of a claim is not made good out of other miners' escrow. From `coverUntil` on it
    /// penalises first if nobody has, so the penalty does not hang on anybody's watching. For anybody, until collected.
    function cover(uint256[] calldata claimIds) external;

    /// @notice Takes a tenth of the claim from the coordinator's bond for the reward pool, once, from `coverUntil` on.
    /// For anybody.
    function penalise(uint256 claimId) external;

    /// @notice Credits what the claim is worth, one thaw after it opened; penalises it first if nobody has. For
    /// anybody.
    function collect(uint256 claimId) external returns (uint256 amountWei);

    // ---- views ----

    /// @notice Active bond that the coordinator must keep, in wei: twice what its lines exceed the escrow that is not
    /// thawing, and the reserve for claims: a tenth of those not yet penalised, and 1 more while any is open (so that it
    /// stays registered). The staking contract asks before a coordinator's bond begins to thaw; never reverts, 0 for
    /// strangers.
    function requiredBondWei(address coordinator) external view returns (uint256);

    function getCoordinator(address coordinator) external view returns (CoordinatorView memory);

    function getLine(address coordinator, address miner) external view returns (LineView memory);

    function getClaim(uint256 claimId) external view returns (ClaimView memory);

    /// @notice What {redeem} of a voucher over `cumulativeWei` would do now.
    function previewRedeem(address coordinator, address miner, uint256 cumulativeWei)
        external
        view
        returns (uint256 paidWei, uint256 claimedWei);

    /// @notice Time to cover a claim, seconds: 3 days, below the thaw.
    function topUpSeconds() external view returns (uint64);
}
