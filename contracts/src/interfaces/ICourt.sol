// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Assignment, Receipt, Result} from "../libraries/Signed.sol";

/// @dev What a juror says about: this output is what this manifest gives for this input.
enum Vote {
    None,
    Valid,
    Invalid,
    CannotJudge
}

/// @dev Of a round or a case. `Undecided`: no majority of all revealed seats either way, or no quorum.
enum Verdict {
    None,
    Valid,
    Invalid,
    Undecided
}

/// @dev Where a dispute stands. `Sealing`: waits for its seed. `Due`: a window has ended, {ICourt-conclude} carries it
/// on.
enum Stage {
    None,
    Sealing,
    Committing,
    Revealing,
    Due,
    Appealing,
    Closed
}

/// @dev The three byte strings whose SHA-256 the receipt carries (canonical JSON; token ids for text).
struct Evidence {
    bytes input;
    bytes params;
    bytes output;
}

/// @dev What a deployment fixes. Seconds; see the constructor's rules in contracts/README.md.
struct CourtParameters {
    uint64 evidenceSeconds;
    uint64 sealSeconds;
    uint64 commitSeconds;
    uint64 revealSeconds;
    uint64 appealSeconds;
    uint64 jailSeconds;
    uint256 jurorFeeWei;
    uint256[3] seats;
}

/// @title ICourt
/// @notice Settles by itself what two signatures prove, and by sampled jurors whether an output is what the manifest
/// gives for the input. Nobody is privileged. Every payout is pulled. Cases are numbered from 1; an event for each
/// carries the reason and the evidence.
///
/// **Signatures** count as IStakingHooks-partyOf says at the time of presentation, with the assignment's `issuedAt` for
/// both sides. The evidence clock runs from `issuedAt`: accepted while issuedAt <= now <= issuedAt + {evidenceSeconds}.
/// Slow, offline, refused or bad work is no case.
///
/// **A dispute** has up to three rounds of {seats}(0..2) seats. Round r: its seed is that of the first randomness round
/// at least {sealSeconds} after it opened, fixed then, never re-targeted; sealed by anybody at any later time; from the
/// sealing, {commitSeconds}, then {revealSeconds}; then {conclude} tallies.
/// - *Seats.* Reference: the bond epoch before the round opened. n = seats(r), S = active miners' bonds at its end less
///   those of the excluded; x = n x bond / S. A node holds floor(x) seats, and one more if keccak256(abi.encode(seed,
///   case, r, node)) / 2^256 < frac(x). Votes for nodes never count. Excluded: the accused, and every node that
///   challenger or appellants of this case are, or whose operator key they ever were.
/// - *Pinning.* Bond of a past epoch can become unreadable (IStakingHooks-minerBondAt): {summon} by anybody, and a
///   juror's own {commit}, write down its seats.
/// - *Tally.* Quorum: 3 x revealed seats >= n, cannot-judge included. Invalid if 2 x invalid > revealed; Valid if 2 x
///   valid > revealed; else Undecided. So a tie is not invalid.
/// - *Next.* Quorum missed: the next size opens at once and without a new bond: the round keeps pot / n for each seat
///   revealed Valid or Invalid, the rest of its pot is the next one's, with the same payer and side; missed at the
///   last: closed undecided. With quorum, the verdict stands for {appealSeconds}, in which anybody may appeal for a
///   side that does not stand; without appeal it is final, and so is the last round's.
/// - *Liveness.* A window grows by the time in it for which this contract saw no transaction for over an hour (any call
///   here, or {pulse}, counts), at most to twice its length; commit and reveal grow as one. A window that was over for a
///   transaction stays over for all later ones. Jury daemons pulse while a case is open, and before they reveal.
/// - *Never sealed* for one thaw after its time: {conclude} closes undecided.
///
/// **Money.** With f = {jurorFeeWei} x 2^(disputes open against the accused at the challenge), round r's bond is
/// seats(r) x f x 2^r: what is sent above it is credited back. A coherent seat (voted as the case ended; in an
/// undecided case, Valid or Invalid) is paid (round's pot) / max(n, coherent seats of the round). Cannot-judge and
/// silence earn nothing. What jurors leave of a pot: back to the payer whose side won (or if undecided); of payers who
/// lost, it first refills what winners paid to jurors, then goes to the reward pool. After Invalid the slash refills
/// the rest of that, and the challenger gets 25 % of the remaining bond part, one thaw later.
///
/// **The slash.** Base: bond + thawing bond of the accused at the challenge. First conviction 10 %, second 50 %, third
/// and later 100 %, with jail of {jailSeconds}. The step rises only for an assignment issued after the verdict that
/// made the present step; all others of one step together with it take at most 30 % (or what the first of the step
/// took). Only a final Valid or Invalid consumes the assignment.
///
/// **Fines.** Of the reference bond behind a seat, w = min(S / n, 20,000 CAI): a juror loses seats x w x 1, 5, 20 % by
/// round, once per round, at most what it has, if it voted Valid or Invalid against the final verdict, or did not
/// reveal. A silent one is also made inactive until it returns. {fine} by anybody, until one thaw after the round's
/// reveal window.
interface ICourt {
    /// @param key what is consumed: keccak256 of kind and assignment digest, or of coordinator, task and attempt
    /// @param accused node
    /// @param challenger account that opened it
    /// @param issuedAt of the assignment
    /// @param round 0-based
    /// @param baseWei what the slash's percentage is of
    /// @param feeWei f, see above
    /// @param verdict of the case when closed, else of the last concluded round (`Undecided` where it missed its quorum)
    struct DisputeView {
        bytes32 key;
        address accused;
        address challenger;
        uint64 issuedAt;
        Stage stage;
        uint8 round;
        uint256 baseWei;
        uint256 feeWei;
        Verdict verdict;
    }

    /// @param referenceEpoch bond epoch that the seats come from
    /// @param eligibleWei S
    /// @param randomnessRound fixed when the round opened
    /// @param seed zero until sealed
    /// @param commitEndsAt and the two after it: as they stand now, zero until known
    /// @param payer who posted the round's bond, or the one that it is carried over from
    /// @param side what the payer is for
    /// @param potWei what the court holds for the round now: the bond, or what was carried over; after a handing on or
    /// the closing, what its jurors have still to collect
    struct RoundView {
        uint64 referenceEpoch;
        uint256 eligibleWei;
        uint64 randomnessRound;
        bytes32 seed;
        uint64 commitEndsAt;
        uint64 revealEndsAt;
        uint64 appealEndsAt;
        uint256 validSeats;
        uint256 invalidSeats;
        uint256 cannotJudgeSeats;
        Verdict verdict;
        address payer;
        Vote side;
        uint256 potWei;
    }

    /// @param seats how many it holds; `pinned`: written down, else computed now
    struct SeatView {
        uint256 seats;
        bool pinned;
        bytes32 commitment;
        Vote vote;
        bool fined;
        bool paid;
    }

    /// @param step convictions that raised it, 0 to 3
    /// @param stepAt unix seconds since when assignments count for the next step
    /// @param stepBps what the present step has taken so far, 1/10,000 of each base
    /// @param openDisputes against the node now
    /// @param frozenWei what they could take together
    struct RecordView {
        uint8 step;
        uint64 stepAt;
        uint16 stepBps;
        uint32 openDisputes;
        uint256 frozenWei;
    }

    event MinerReported(
        uint256 indexed caseId,
        address indexed miner,
        address indexed reporter,
        bytes32 assignment,
        bytes32 first,
        bytes32 second
    );
    event CoordinatorReported(
        uint256 indexed caseId,
        address indexed coordinator,
        address indexed reporter,
        bytes32 taskId,
        uint32 attempt,
        bytes32 first,
        bytes32 second
    );
    /// @notice The whole receipt and evidence, so that jurors need nothing but the chain.
    event Challenged(
        uint256 indexed caseId, address indexed accused, address indexed challenger, Receipt receipt, Evidence evidence
    );
    event EvidenceAdded(uint256 indexed caseId, address indexed from, bytes data);
    event RoundOpened(
        uint256 indexed caseId,
        uint8 indexed round,
        uint256 seats,
        uint64 referenceEpoch,
        uint64 randomnessRound,
        address payer,
        Vote side,
        uint256 potWei
    );
    event RoundSealed(
        uint256 indexed caseId, uint8 indexed round, bytes32 seed, uint64 commitEndsAt, uint64 revealEndsAt
    );
    event JurorSummoned(uint256 indexed caseId, uint8 indexed round, address indexed node, uint256 seats);
    event VoteCommitted(uint256 indexed caseId, uint8 indexed round, address indexed node, bytes32 commitment);
    event VoteRevealed(uint256 indexed caseId, uint8 indexed round, address indexed node, Vote vote, uint256 seats);
    event RoundConcluded(uint256 indexed caseId, uint8 indexed round, Verdict verdict, bool quorum);
    /// @notice `slashedWei` of bond was taken, at `bps`/10,000 of the base.
    event CaseClosed(uint256 indexed caseId, Verdict verdict, uint256 slashedWei, uint16 bps);
    event JurorFined(uint256 indexed caseId, uint8 indexed round, address indexed node, uint256 amountWei, bool silent);
    event Credited(uint256 indexed caseId, address indexed account, uint256 amountWei, uint64 releaseAt);
    event CreditWithdrawn(address indexed account, address indexed to, uint256 amountWei);
    /// @notice Nobody called for over an hour: open windows have grown by this.
    event Pulsed(uint64 gapSeconds);

    error SignatureInvalid(address signer, address node);
    error NotEvidence(string reason);
    error EvidenceExpired(uint64 expiredAt);
    error EvidenceTooLarge(uint256 bytesGiven, uint256 maximum);
    error HashMismatch(string field);
    error Consumed(bytes32 key);
    error AlreadyOpen(bytes32 key, uint256 caseId);
    error NothingAtRisk(address node);
    error BondTooLow(uint256 sentWei, uint256 neededWei);
    error CaseUnknown(uint256 caseId);
    error StageInvalid(uint256 caseId, Stage stage);
    error SideStands(uint256 caseId, Vote side);
    error NotActing(address account, address node);
    error NoSeat(uint256 caseId, uint8 round, address node);
    error AlreadyCommitted(uint256 caseId, address node);
    error CommitmentInvalid(uint256 caseId, address node);
    error NotFinable(uint256 caseId, uint8 round, address node);
    error NotPayable(uint256 caseId, uint8 round, address node);
    error CreditNotReleased(uint256 caseId, uint64 releaseAt);
    error NothingToWithdraw(address account);
    error TransferFailed(address to, uint256 amountWei);
    error ParameterInvalid(string name);

    // ---- settled at once ----

    /// @notice Two results of one assignment with different `outputHash`, both signed by its miner: 50 % of its bond,
    /// once per assignment. The cut of the caller waits one thaw. The assignment's own signature is checked too.
    function reportMiner(
        Assignment calldata assignment,
        bytes calldata assignmentSignature,
        Result calldata first,
        bytes calldata firstSignature,
        Result calldata second,
        bytes calldata secondSignature
    ) external returns (uint256 caseId);

    /// @notice Two assignments of one task attempt to different miners, both signed by the coordinator: 5 % of its
    /// bond, once per (coordinator, task, attempt). The clock runs from the later `issuedAt`.
    function reportCoordinator(
        Assignment calldata first,
        bytes calldata firstSignature,
        Assignment calldata second,
        bytes calldata secondSignature
    ) external returns (uint256 caseId);

    // ---- disputes ----

    /// @notice Opens a dispute: *the output of this receipt is not what its manifest gives for its input*. Checks both
    /// signatures, the clock, the three SHA-256 hashes (together at most 24,576 bytes); requires {challengeBondWei}, an
    /// assignment neither consumed nor in dispute, and an accused with something to lose. Freezes what all its open
    /// disputes could take. Who finds one open already joins it by {addEvidence} and {appeal}: the question is the
    /// same, whoever asked first.
    function challenge(Receipt calldata receipt, Evidence calldata evidence) external payable returns (uint256 caseId);

    /// @notice Adds up to 24,576 bytes for jurors to read, until the case is closed. For anybody.
    function addEvidence(uint256 caseId, bytes calldata data) external;

    /// @notice Fixes the round's seed, with the randomness round's proof where nobody has sealed that yet, and starts
    /// the commit window.
    function seal(uint256 caseId, bytes calldata proof) external;

    /// @notice Writes down how many seats `node` holds in the present round, from the sealing until its reveal window
    /// ends. Reverts {NoSeat} where it holds none. For anybody.
    function summon(uint256 caseId, address node) external returns (uint256 seats);

    /// @notice Commits `node` to a vote: {commitmentOf}. Once per round. For its owner or operator.
    function commit(uint256 caseId, address node, bytes32 commitment) external;

    /// @notice Shows the vote. For its owner or operator: a leaked salt alone does not reveal a vote early, nor late.
    function reveal(uint256 caseId, address node, Vote vote, bytes32 salt) external;

    /// @notice Carries the case as far as time allows: tallies a round whose reveal window is over, opens the next
    /// size, closes. For anybody.
    function conclude(uint256 caseId) external;

    /// @notice Opens the next round for `side` (Valid or Invalid, not what stands), with {appealBondWei}. For anybody.
    function appeal(uint256 caseId, Vote side) external payable;

    /// @notice Slashes a juror who voted against the final verdict (when the case is closed) or did not reveal (when
    /// the round's reveal window is over). Once per case, round and node. For anybody.
    function fine(uint256 caseId, uint8 round, address node) external returns (uint256 amountWei);

    /// @notice Credits the pay of `node`'s coherent seats to its owner, once, when the case is closed. For anybody.
    function creditJuror(uint256 caseId, uint8 round, address node) external returns (uint256 amountWei);

    /// @notice Pays the caller's credits (jury pay, returned bonds) to `to`.
    function withdraw(address payable to) external returns (uint256 amountWei);

    /// @notice Pays the cut of case `caseId` to its reporter's `to`, one thaw after the slash. For the reporter.
    function withdrawCut(uint256 caseId, address payable to) external returns (uint256 amountWei);

    /// @notice Shows that the chain lives.
    function pulse() external;

    // ---- views ----

    function getDispute(uint256 caseId) external view returns (DisputeView memory);

    function getRound(uint256 caseId, uint8 round) external view returns (RoundView memory);

    /// @notice Reverts as IStakingHooks-minerBondAt does where seats were never pinned and are unreadable now.
    function getSeat(uint256 caseId, uint8 round, address node) external view returns (SeatView memory);

    function getRecord(address node) external view returns (RecordView memory);

    function creditOf(address account) external view returns (uint256);

    function cutOf(uint256 caseId) external view returns (address reporter, uint256 amountWei, uint64 releaseAt);

    function caseCount() external view returns (uint256);

    /// @notice The case that is open on an assignment (0: none), and whether a final verdict has consumed it.
    function caseOf(bytes32 assignmentDigest) external view returns (uint256 openCaseId, bool consumed);

    function challengeBondWei(address accused) external view returns (uint256);

    /// @notice What the case's next round would cost; 0 after the last.
    function appealBondWei(uint256 caseId) external view returns (uint256);

    /// @notice keccak256(abi.encode(chain id, court, case, round, node, vote, salt)).
    function commitmentOf(uint256 caseId, uint8 round, address node, Vote vote, bytes32 salt)
        external
        view
        returns (bytes32);

    function assignmentDigest(Assignment calldata assignment) external view returns (bytes32);

    function resultDigest(Result calldata result) external view returns (bytes32);

    // ---- parameters ----

    function randomness() external view returns (address);

    function seats(uint8 round) external view returns (uint256);

    function jurorFeeWei() external view returns (uint256);

    function evidenceSeconds() external view returns (uint64);

    function sealSeconds() external view returns (uint64);

    function commitSeconds() external view returns (uint64);

    function revealSeconds() external view returns (uint64);

    function appealSeconds() external view returns (uint64);

    function jailSeconds() external view returns (uint64);

    /// @notice 3 x (seal + commit + reveal + appeal): evidence + dispute < thaw, checked in the constructor.
    function disputeSeconds() external view returns (uint64);
}
