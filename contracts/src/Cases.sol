// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Parties} from "./Parties.sol";
import {CourtParameters, ICourt} from "./interfaces/ICourt.sol";
import {IRandomness} from "./interfaces/IRandomness.sol";
import {IStakingHooks} from "./interfaces/IStakingHooks.sol";
import {Assignment, Result, Signed} from "./libraries/Signed.sol";

/// @title Cases
/// @notice What reports and disputes of the court share: parameters, its clock, numbers and keys of cases, what it owes.
abstract contract Cases is ICourt, Parties, ReentrancyGuardTransient {
    using SafeCast for uint256;

    /// @dev `lostSeconds`: sum of the gaps of over an hour between two transactions here. Only differences count.
    struct Clock {
        uint40 seenAt;
        uint40 lostSeconds;
        uint64 cases;
    }

    struct Cut {
        address reporter;
        uint96 amountWei;
        // ---
        uint64 releaseAt;
    }

    uint16 internal constant BPS = 10_000;
    uint16 internal constant CUT_BPS = 2_500;
    uint256 internal constant MAX_EVIDENCE_BYTES = 24_576;
    uint256 private constant GAP = 1 hours;
    uint256 private constant MAX_SEATS = type(uint16).max;
    uint256 private constant CONSUMED = type(uint256).max;

    /// @inheritdoc ICourt
    address public immutable randomness;
    /// @inheritdoc ICourt
    uint64 public immutable evidenceSeconds;
    /// @inheritdoc ICourt
    uint64 public immutable sealSeconds;
    /// @inheritdoc ICourt
    uint64 public immutable commitSeconds;
    /// @inheritdoc ICourt
    uint64 public immutable revealSeconds;
    /// @inheritdoc ICourt
    uint64 public immutable appealSeconds;
    /// @inheritdoc ICourt
    uint64 public immutable jailSeconds;
    /// @inheritdoc ICourt
    uint64 public immutable disputeSeconds;
    /// @inheritdoc ICourt
    uint256 public immutable jurorFeeWei;

    uint64 internal immutable _thawSeconds;
    uint256 private immutable _seats0;
    uint256 private immutable _seats1;
    uint256 private immutable _seats2;

    Clock private _clock;
    /// @dev 0, the case that is open on it, or CONSUMED.
    mapping(bytes32 key => uint256) private _keys;
    mapping(address account => uint256) private _credits;
    mapping(uint256 caseId => Cut) private _cuts;

    /// @dev Any call shows that the chain lives: windows stand still meanwhile.
    modifier alive() {
        _pulse();
        _;
    }

    constructor(IStakingHooks staking_, IRandomness randomness_, CourtParameters memory given) Parties(staking_) {
        if (staking_.court() != address(this)) revert ParameterInvalid("staking");
        if (address(randomness_).code.length == 0) revert ParameterInvalid("randomness");
        if (given.evidenceSeconds == 0) revert ParameterInvalid("evidenceSeconds");
        if (given.sealSeconds == 0) revert ParameterInvalid("sealSeconds");
        if (given.commitSeconds == 0) revert ParameterInvalid("commitSeconds");
        if (given.revealSeconds == 0) revert ParameterInvalid("revealSeconds");
        if (given.appealSeconds == 0) revert ParameterInvalid("appealSeconds");
        if (given.jailSeconds == 0) revert ParameterInvalid("jailSeconds");
        if (given.jurorFeeWei == 0 || given.jurorFeeWei > type(uint96).max) revert ParameterInvalid("jurorFeeWei");
        // Odd, so that a full jury cannot tie.
        if (
            given.seats[0] & given.seats[1] & given.seats[2] & 1 == 0 || given.seats[0] >= given.seats[1]
                || given.seats[1] >= given.seats[2] || given.seats[2] > MAX_SEATS
        ) revert ParameterInvalid("seats");

        uint64 roundSeconds = given.sealSeconds + given.commitSeconds + given.revealSeconds;
        uint64 allSeconds = 3 * (roundSeconds + given.appealSeconds);
        uint64 thawSeconds = staking_.thawSeconds();
        uint64 freezeSeconds = staking_.freezeSeconds();
        // Stake that began to leave at the assignment is still there at the verdict.
        if (given.evidenceSeconds + allSeconds >= thawSeconds) revert ParameterInvalid("thawSeconds");
        if (allSeconds > freezeSeconds || freezeSeconds >= thawSeconds) revert ParameterInvalid("freezeSeconds");
        // Bonds of the round's reference epoch can be read until the round is over.
        if (staking_.epochSeconds() < roundSeconds) revert ParameterInvalid("epochSeconds");

        randomness = address(randomness_);
        evidenceSeconds = given.evidenceSeconds;
        sealSeconds = given.sealSeconds;
        commitSeconds = given.commitSeconds;
        revealSeconds = given.revealSeconds;
        appealSeconds = given.appealSeconds;
        jailSeconds = given.jailSeconds;
        disputeSeconds = allSeconds;
        jurorFeeWei = given.jurorFeeWei;
        _thawSeconds = thawSeconds;
        (_seats0, _seats1, _seats2) = (given.seats[0], given.seats[1], given.seats[2]);
        _clock.seenAt = uint40(block.timestamp);
    }

    /// @dev What slashes pay: refills and cuts.
    receive() external payable {
        if (msg.sender != address(staking)) revert IStakingHooks.CallerInvalid(msg.sender);
    }

    // ---- clock ----

    /// @inheritdoc ICourt
    function pulse() external alive {}

    /// @dev At two transactions here, the second's `now - _lost()` is never below the first's: the gap between them counts
    /// whole or not at all. So a window that was over for a transaction is over for all later ones.
    function _lost() internal view returns (uint256) {
        uint256 gap = block.timestamp - _clock.seenAt;
        return _clock.lostSeconds + (gap > GAP ? gap : 0);
    }

    function _pulse() private {
        uint256 lost = _lost();
        if (lost != _clock.lostSeconds) emit Pulsed(uint64(lost - _clock.lostSeconds));
        (_clock.seenAt, _clock.lostSeconds) = (uint40(block.timestamp), uint40(lost));
    }

    // ---- numbers and keys ----

    /// @inheritdoc ICourt
    function caseCount() external view returns (uint256) {
        return _clock.cases;
    }

    /// @inheritdoc ICourt
    function caseOf(bytes32 digest) external view returns (uint256 openCaseId, bool consumed) {
        uint256 state = _keys[_disputeKey(digest)];
        return state == CONSUMED ? (0, true) : (state, false);
    }

    /// @dev The next case's number; `key` must be free.
    function _openCase(bytes32 key) internal returns (uint256 caseId) {
        uint256 state = _keys[key];
        if (state == CONSUMED) revert Consumed(key);
        if (state != 0) revert AlreadyOpen(key, state);
        caseId = ++_clock.cases;
        _keys[key] = caseId;
    }

    /// @dev Without a verdict the key is free again.
    function _closeKey(bytes32 key, bool consumed) internal {
        _keys[key] = consumed ? CONSUMED : 0;
    }

    function _disputeKey(bytes32 digest) internal pure returns (bytes32) {
        return keccak256(abi.encode("output", digest));
    }

    // ---- signatures and time ----

    /// @inheritdoc ICourt
    function assignmentDigest(Assignment calldata assignment) public view returns (bytes32) {
        // As Signed.hash, without the copy to memory.
        return _digest(keccak256(abi.encode(Signed.ASSIGNMENT_TYPEHASH, assignment)));
    }

    /// @inheritdoc ICourt
    function resultDigest(Result calldata result) public view returns (bytes32) {
        return _digest(keccak256(abi.encode(Signed.RESULT_TYPEHASH, result)));
    }

    function _verifyAssignment(Assignment calldata assignment, bytes calldata signature)
        internal
        view
        returns (bytes32 digest)
    {
        digest = assignmentDigest(assignment);
        _requireSigned(assignment.coordinator, digest, signature, assignment.issuedAt);
    }

    /// @dev The assignment's `issuedAt` counts for the miner too: a result has no time of its own.
    function _verifyResult(
        Assignment calldata assignment,
        bytes32 ofAssignment,
        Result calldata result,
        bytes calldata signature
    ) internal view returns (bytes32 digest) {
        if (result.assignment != ofAssignment) revert NotEvidence("assignment");
        digest = resultDigest(result);
        _requireSigned(assignment.miner, digest, signature, assignment.issuedAt);
    }

    function _requireSigned(address node, bytes32 digest, bytes calldata signature, uint64 issuedAt) private view {
        (bool counts, address signer) = _isSignedBy(node, digest, signature, issuedAt);
        if (!counts) revert SignatureInvalid(signer, node);
    }

    function _requireInTime(uint64 issuedAt) internal view {
        if (issuedAt > block.timestamp) revert NotEvidence("issuedAt");
        uint64 expiredAt = issuedAt + evidenceSeconds;
        if (block.timestamp > expiredAt) revert EvidenceExpired(expiredAt);
    }

    // ---- stake ----

    /// @dev All that a slash can reach. Bond of a thaw queue counts: it was there when the deed was done.
    function _atRisk(address node) internal view returns (uint256) {
        (uint256 bondWei, uint256 thawingBondWei) = staking.bondOf(node);
        if (bondWei + thawingBondWei == 0) revert NothingAtRisk(node);
        return bondWei + thawingBondWei;
    }

    function _slash(uint256 caseId, address node, uint256 bondWei, uint256 refillWei, uint16 cutBps)
        internal
        returns (uint256 takenWei, uint256 paidWei)
    {
        return staking.slash(node, bondWei, refillWei, cutBps, caseId);
    }

    function _jail(address node, uint64 forSeconds) internal {
        staking.jail(node, uint64(block.timestamp) + forSeconds);
    }

    /// @inheritdoc ICourt
    function seats(uint8 round) public view returns (uint256) {
        if (round > 2) revert ParameterInvalid("round");
        return round == 0 ? _seats0 : round == 1 ? _seats1 : _seats2;
    }

    // ---- what is owed ----

    /// @inheritdoc ICourt
    function creditOf(address account) external view returns (uint256) {
        return _credits[account];
    }

    /// @inheritdoc ICourt
    function cutOf(uint256 caseId) external view returns (address reporter, uint256 amountWei, uint64 releaseAt) {
        Cut storage cut = _cuts[caseId];
        return (cut.reporter, cut.amountWei, cut.releaseAt);
    }

    /// @inheritdoc ICourt
    function withdraw(address payable to) external nonReentrant alive returns (uint256 amountWei) {
        amountWei = _credits[msg.sender];
        _credits[msg.sender] = 0;
        _pay(to, amountWei);
    }

    /// @inheritdoc ICourt
    function withdrawCut(uint256 caseId, address payable to) external nonReentrant alive returns (uint256 amountWei) {
        Cut storage cut = _cuts[caseId];
        if (msg.sender != cut.reporter) revert NothingToWithdraw(msg.sender);
        if (block.timestamp < cut.releaseAt) revert CreditNotReleased(caseId, cut.releaseAt);
        amountWei = cut.amountWei;
        cut.amountWei = 0;
        _pay(to, amountWei);
    }

    function _credit(uint256 caseId, address account, uint256 amountWei) internal {
        if (amountWei == 0) return;
        _credits[account] += amountWei;
        emit Credited(caseId, account, amountWei, uint64(block.timestamp));
    }

    /// @dev Waits one thaw, so that nobody gets stake out by reporting itself sooner than by leaving.
    function _grantCut(uint256 caseId, address reporter, uint256 amountWei) internal {
        uint64 releaseAt = uint64(block.timestamp) + _thawSeconds;
        _cuts[caseId] = Cut(reporter, uint96(amountWei), releaseAt);
        emit Credited(caseId, reporter, amountWei, releaseAt);
    }

    function _pay(address payable to, uint256 amountWei) private {
        if (amountWei == 0) revert NothingToWithdraw(msg.sender);
        if (to == address(0)) revert ParameterInvalid("to");
        emit CreditWithdrawn(msg.sender, to, amountWei);
        bool paid;
        // No return data is copied: a receiver cannot make this expensive.
        assembly ("memory-safe") {
            paid := call(gas(), to, amountWei, 0, 0, 0, 0)
        }
        if (!paid) revert TransferFailed(to, amountWei);
    }
}
