// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IStaking, StakingParameters} from "./interfaces/IStaking.sol";
import {IStakingHooks} from "./interfaces/IStakingHooks.sol";
import {Role} from "./interfaces/Role.sol";
import {SharePool, StoredPool} from "./libraries/SharePool.sol";

/// @title StakingBase
/// @notice What the parts of the staking contract stand on: its storage and parameters, what a node counts for, and whose
/// key speaks for it.
abstract contract StakingBase is IStaking, ReentrancyGuardTransient {
    using SafeCast for uint256;

    /// @dev `known` is set by the first {stake} and keeps the slot non-zero while all is voted or bonded: the account's first
    /// exit then need not pay 17,100 gas for a fresh slot.
    struct Account {
        uint96 freeWei;
        bool known;
    }

    /// @dev Slot by slot: a fresh one costs 22,100 gas and {register} writes three; votes and bond need two without rewards.
    struct Node {
        address operator;
        // In force until a settlement after `nextVoterShareAt` (unix seconds, until 2106; 0 when no drop is on its way).
        uint16 voterShareBps;
        uint16 nextVoterShareBps;
        uint32 nextVoterShareAt;
        // 1-based place in the role's list.
        uint32 place;
        // ---
        uint96 bondWei;
        // Active bond at the end of the epoch before `epoch`, the last one in which the active bond changed. The active bond
        // now follows from `bondWei`, `role` and `flags`.
        uint96 previousActiveBondWei;
        uint32 epoch;
        // Of 65,535 operator changes in an owner's life; only the owner can use them up.
        uint16 nonce;
        // Kept after leaving: it is what remaining voters agreed to.
        Role role;
        uint8 flags;
        // ---
        uint96 rewardIndex;
        uint96 rewardsWei;
        uint32 jailedUntil;
        uint32 registeredAt;
        // ---
        StoredPool votes;
        StoredPool thawingBond;
        StoredPool thawingVotes;
    }

    struct Listing {
        address node;
        bytes12 profileHash;
    }

    /// @dev Slot by slot: active bond by epoch; what the role's nodes weigh and have earned, with the clock of it; its stream.
    struct RoleBook {
        uint96 activeBondWei;
        uint96 previousActiveBondWei;
        uint32 epoch;
        uint32 count;
        // ---
        uint96 weightWei;
        // Wei per wei of weight since ever, times 2^72, modulo 2^96: only differences count. 2^24 wei per wei of weight is more
        // than there is money for any active node to earn unsettled.
        uint96 index;
        // What the last division left, in 2^-8 wei.
        uint32 carry;
        // Modulo 2^32.
        uint32 updatedAt;
        // ---
        // While no period runs, the rate is 0 and less than 1 wei per second of a period waits.
        uint96 rateWei;
        uint96 nextWei;
        uint40 endsAt;
    }

    /// @dev Task income of voters: `waitingWei` flows over `leftSeconds` from `startAt`; `maturedWei` has flowed and waits for a
    /// settlement. Never all zero again, so that later income pays for no fresh slot; the node's flag tells whether there is any.
    struct StoredDrip {
        uint96 waitingWei;
        uint96 maturedWei;
        uint40 startAt;
        uint24 leftSeconds;
    }

    struct Position {
        uint128 shares;
        uint32 generation;
    }

    /// @dev Keyed by {thawId}. `live` tells an exit worth nothing from none.
    struct Thaw {
        uint128 shares;
        uint32 generation;
        bool live;
    }

    struct OperatorRecord {
        address node;
        uint64 validUntil;
    }

    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

    uint256 internal constant MINER_THRESHOLD = 20_000 ether;
    uint256 internal constant COORDINATOR_THRESHOLD = 2_000_000 ether;
    /// @dev A slash of `b` of the bond takes at most `b/10` of the votes: with 16 times the bond in votes, voters together lose
    /// at most 1.6 times what the owner loses.
    uint256 internal constant MAX_VOTES_PER_BOND = 16;
    uint16 internal constant BPS = 10_000;

    uint8 internal constant REGISTERED = 1;
    uint8 internal constant AWAY = 2;
    uint8 internal constant SUSPENDED = 4;
    uint8 internal constant DRIPPING = 8;
    /// @dev Active bond at the end of the epoch before `previousActiveBondWei`'s: 0, or in `_olderBonds`; with neither flag, the same.
    uint8 internal constant OLDER_ZERO = 16;
    uint8 internal constant OLDER_STORED = 32;

    /// @inheritdoc IStakingHooks
    uint64 public immutable thawSeconds;
    /// @inheritdoc IStakingHooks
    uint64 public immutable epochSeconds;
    /// @inheritdoc IStakingHooks
    uint64 public immutable freezeSeconds;
    /// @inheritdoc IStakingHooks
    address public immutable payments;
    /// @inheritdoc IStakingHooks
    address public immutable court;
    /// @inheritdoc IStakingHooks
    address public immutable epochs;

    mapping(address account => Account) internal _accounts;
    mapping(address node => Node) internal _nodes;
    mapping(address account => mapping(address node => Position)) internal _positions;
    mapping(address account => mapping(uint256 id => Thaw)) internal _thaws;
    mapping(address operator => OperatorRecord) internal _operators;
    mapping(Role role => RoleBook) internal _roles;
    mapping(Role role => mapping(uint256 place => Listing)) internal _listings;
    /// @dev Never 0 once written, so that only a node's first write there pays for a fresh slot.
    mapping(address node => uint256 bondWei) internal _olderBonds;
    mapping(address node => StoredDrip) internal _drips;

    /// @dev Windows: thaw 1 minute (devnet) to 60 days; epoch 10 seconds to 30 days, and not over the thaw, so that bond which
    /// still counts for an epoch is still slashable; freeze below the thaw.
    constructor(StakingParameters memory parameters) {
        _within("thawSeconds", parameters.thawSeconds, 1 minutes, 60 days);
        _within("epochSeconds", parameters.epochSeconds, 10 seconds, Math.min(30 days, parameters.thawSeconds));
        _within("freezeSeconds", parameters.freezeSeconds, 1, parameters.thawSeconds - 1);
        if (parameters.payments == address(0)) revert ParameterInvalid("payments");
        if (parameters.court == address(0)) revert ParameterInvalid("court");
        if (parameters.epochs == address(0)) revert ParameterInvalid("epochs");
        thawSeconds = parameters.thawSeconds;
        epochSeconds = parameters.epochSeconds;
        freezeSeconds = parameters.freezeSeconds;
        payments = parameters.payments;
        court = parameters.court;
        epochs = parameters.epochs;
    }

    function _within(string memory name, uint256 value, uint256 low, uint256 high) internal pure {
        if (value < low || value > high) revert ParameterInvalid(name);
    }

    // ---- keys ----

    /// @inheritdoc IStakingHooks
    function operatorRecord(address operator) external view returns (address node, uint64 validUntil) {
        OperatorRecord storage record = _operators[operator];
        return (record.node, record.validUntil);
    }

    /// @inheritdoc IStakingHooks
    function partyOf(address operator, uint64 issuedAt) external view returns (address node) {
        OperatorRecord memory record = _operators[operator];
        if (record.validUntil == type(uint64).max) return record.node;
        bool counts = block.timestamp <= record.validUntil && uint256(issuedAt) + thawSeconds <= record.validUntil;
        return counts ? record.node : address(0);
    }

    /// @inheritdoc IStakingHooks
    function actsFor(address account, address node) public view returns (bool) {
        return account != address(0) && (account == node || account == _nodes[node].operator);
    }

    /// @inheritdoc IStakingHooks
    /// @dev Not OpenZeppelin's EIP712: its `eip712Domain` and its caches would cost 1.5 KB of code.
    function domainSeparator() public view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPEHASH, keccak256("Cuckoo"), keccak256("1"), block.chainid, address(this)));
    }

    // ---- standing ----

    /// @inheritdoc IStaking
    function threshold(Role role) public pure returns (uint256) {
        if (role == Role.None) revert RoleInvalid(uint8(role));
        return role == Role.Miner ? MINER_THRESHOLD : COORDINATOR_THRESHOLD;
    }

    /// @inheritdoc IStakingHooks
    function roleOf(address node) public view returns (Role) {
        Node storage viewed = _nodes[node];
        return _has(viewed, REGISTERED) ? viewed.role : Role.None;
    }

    /// @inheritdoc IStakingHooks
    function bondOf(address node) external view returns (uint256 bondWei, uint256 thawingBondWei) {
        return (_nodes[node].bondWei, _nodes[node].thawingBond.assetsWei);
    }

    /// @inheritdoc IStakingHooks
    function isActive(address node) external view returns (bool) {
        return _activeBond(_nodes[node]) != 0;
    }

    /// @inheritdoc IStaking
    function weightOf(address node) external view returns (uint256) {
        Node storage viewed = _nodes[node];
        return _weigh(_activeBond(viewed), viewed.votes.assetsWei);
    }

    /// @inheritdoc IStaking
    function totalWeight(Role role) external view returns (uint256) {
        return _roles[role].weightWei;
    }

    /// @inheritdoc IStaking
    function activeBondAt(address node, uint64 epoch) public view returns (uint256) {
        if (epoch > currentEpoch()) revert ParameterInvalid("epoch");
        Node storage viewed = _nodes[node];
        uint256 changedIn = viewed.epoch;
        if (epoch >= changedIn) return _activeBond(viewed);
        uint256 age = changedIn - epoch;
        if (age > 2) revert ParameterInvalid("epoch");
        if (age == 2 && _has(viewed, OLDER_ZERO)) return 0;
        if (age == 2 && _has(viewed, OLDER_STORED)) return _olderBonds[node];
        return viewed.previousActiveBondWei;
    }

    /// @inheritdoc IStakingHooks
    function minerBondAt(address node, uint64 epoch) external view returns (uint256 bondWei) {
        // A role is left only when no epoch counts that is answered for ({register}), so the one now was the one then.
        bondWei = activeBondAt(node, epoch);
        if (_nodes[node].role != Role.Miner) return 0;
    }

    /// @inheritdoc IStakingHooks
    function totalActiveBondAt(Role role, uint64 epoch) external view returns (uint256) {
        RoleBook storage book = _roles[role];
        uint256 epochNow = currentEpoch();
        if (epoch == epochNow) return book.activeBondWei;
        if (uint256(epoch) + 1 != epochNow) revert ParameterInvalid("epoch");
        return book.epoch == epochNow ? book.previousActiveBondWei : book.activeBondWei;
    }

    /// @inheritdoc IStakingHooks
    function currentEpoch() public view returns (uint64) {
        return (block.timestamp / epochSeconds).toUint64();
    }

    function _has(Node storage node, uint8 flag) internal view returns (bool) {
        return node.flags & flag != 0;
    }

    function _registered(address node) internal view returns (Node storage found) {
        found = _nodes[node];
        if (!_has(found, REGISTERED)) revert NotRegistered(node);
    }

    function _requireActing(address node) internal view {
        if (!actsFor(msg.sender, node)) revert NotActing(msg.sender, node);
    }

    /// @dev All of it is stored state, never the clock, so that the totals always agree with the nodes.
    function _activeBond(Node storage node) private view returns (uint256) {
        return _activeBond(node.role, node.flags, node.bondWei);
    }

    function _activeBond(Role role, uint256 flags, uint256 bondWei) internal pure returns (uint256) {
        bool stands = flags & (REGISTERED | AWAY | SUSPENDED) == REGISTERED;
        return stands && bondWei > threshold(role) ? bondWei : 0;
    }

    function _weigh(uint256 activeBondWei, uint256 votesWei) internal pure returns (uint256) {
        return activeBondWei + Math.min(votesWei, MAX_VOTES_PER_BOND * activeBondWei);
    }

    // ---- money ----

    /// @dev Everything the contract ever holds fits 96 bits (79 billion CAI), so no sum of parts of it overflows later, in
    /// somebody's exit. Only an entry can be refused by this.
    function _requireFit() internal view {
        address(this).balance.toUint96();
    }

    /// @dev Nothing of the receiver's return data is copied, so it cannot make the caller pay for memory.
    function _send(address to, uint256 amountWei) internal {
        bool paid;
        assembly ("memory-safe") {
            paid := call(gas(), to, amountWei, 0, 0, 0, 0)
        }
        if (!paid) revert TransferFailed(to, amountWei);
    }
}
