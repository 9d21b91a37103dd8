// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IRewards} from "./IRewards.sol";
import {IStakingHooks} from "./IStakingHooks.sol";
import {Role} from "./Role.sol";

/// @dev Where thawing stake came from.
enum ThawKind {
    Bond,
    Votes
}

/// @dev What people read of a node. Kept as an event and a hash, so that registering stays cheap.
/// Bounds in bytes: name 1-64, url 0-256 (a coordinator's is where miners and apps find it), description 0-1024.
struct Profile {
    string name;
    string url;
    string description;
}

/// @dev What a deployment fixes. Durations in seconds; the three contracts' addresses are known before they exist (CREATE nonces).
struct StakingParameters {
    uint64 thawSeconds;
    uint64 epochSeconds;
    uint64 rewardSeconds;
    uint64 dripSeconds;
    uint64 freezeSeconds;
    address payments;
    address court;
    address epochs;
}

/// @title IStaking
/// @notice The specification of cuckoo's staking contract. CAI is the chain's native token; amounts are wei.
/// Money is in one bucket at a time: *free* (withdrawable now, no weight, no risk), *bond* (a node owner's own stake),
/// *votes* (shares of a node's vote pool), *thawing* (bond or votes on the way out, still slashable until withdrawn).
/// *rewards* (a node owner's part of what its node earned, until {IRewards-claim} moves it to free). A node is identified by
/// its owner's address: one node per owner, one role per node. Nobody is privileged: what the other contracts of the
/// network may do is all in {IStakingHooks}.
interface IStaking is IRewards, IStakingHooks {
    /// @dev One node as the chain knows it. Votes and rewards are what a settlement now would leave.
    /// @param owner the node's identity, the cold account that owns the bond
    /// @param role what it is registered as, `None` when it never registered or has left
    /// @param active registered, neither away nor suspended, and bond strictly over the role's threshold
    /// @param away it rests, or a jail began, and it has not rejoined since
    /// @param suspended a coordinator that owes a reveal (see IEpochs)
    /// @param jailedUntil unix seconds before which it cannot rejoin; in the past or 0 when nothing keeps it
    /// @param operator the hot account whose signatures count for the node now, zero when not registered
    /// @param voterShareBps voters' part of the node's income in 1/10,000, as a settlement now would leave it: a drop that is
    /// due shows here before it splits anything (see IRewards)
    /// @param registeredAt unix seconds of the registration in force, 0 when not registered
    /// @param bondWei the owner's stake that is not thawing
    /// @param votesWei value of the vote pool
    /// @param voteShares shares of the vote pool
    /// @param weightWei what draws and rewards count: bond + min(votes, 16 x bond) while active, else 0. As of the node's last
    /// settlement, so that the weights of all nodes are {totalWeight}
    /// @param thawingBondWei bond on its way out, claims on a coordinator's bond included: as slashable as the bond
    /// @param thawingVotesWei votes on their way out
    /// @param rewardsWei what {IRewards-claim} would move
    /// @param nonce the nonce that the next `Registration` of this owner must carry
    /// @param profileHash the first 12 bytes of keccak256(abi.encode(profile))
    struct NodeView {
        address owner;
        Role role;
        bool active;
        bool away;
        bool suspended;
        uint64 jailedUntil;
        address operator;
        uint16 voterShareBps;
        uint64 registeredAt;
        uint256 bondWei;
        uint256 votesWei;
        uint256 voteShares;
        uint256 weightWei;
        uint256 thawingBondWei;
        uint256 thawingVotesWei;
        uint256 rewardsWei;
        uint256 nonce;
        bytes12 profileHash;
    }

    /// @dev One exit under way.
    /// @param id {thawId} of the next three; with its account it names the exit
    /// @param node whose bond or votes it was
    /// @param kind bond or votes
    /// @param amountWei what it is worth now (a slash before withdrawal lowers it)
    /// @param releaseAt unix seconds from which it can be withdrawn
    struct ThawView {
        uint256 id;
        address node;
        ThawKind kind;
        uint256 amountWei;
        uint64 releaseAt;
    }

    /// @dev Everything an account owns, but for its votes and thaws, which are per node and per exit.
    struct AccountView {
        uint256 freeWei;
        uint256 bondWei;
    }

    event Staked(address indexed account, uint256 amountWei);
    event Withdrawn(address indexed account, address indexed to, uint256 amountWei);
    event Bonded(address indexed node, uint256 amountWei, uint256 bondWei);
    event Voted(address indexed account, address indexed node, uint256 amountWei, uint256 shares);
    event ThawStarted(
        address indexed account, address indexed node, ThawKind kind, uint256 id, uint256 amountWei, uint64 releaseAt
    );
    event ThawReleased(address indexed account, address indexed node, uint256 id, uint256 amountWei);
    event NodeRegistered(
        address indexed node, Role indexed role, address indexed operator, uint256 bondWei, uint16 voterShareBps
    );
    event ProfileSet(address indexed node, string name, string url, string description);
    event OperatorSet(address indexed node, address indexed operator, address indexed previous);
    event VoterShareSet(address indexed node, uint16 voterShareBps, uint64 effectiveAt);
    event NodeDeregistered(address indexed node, Role indexed role);
    event Rested(address indexed node);
    event Rejoined(address indexed node);
    /// @notice A node's bond, votes, weight or standing changed. One event is enough to follow the whole node set.
    /// A node that has left still loses votes: its role is then the one it had.
    event NodeWeightChanged(
        address indexed node, Role indexed role, bool active, uint256 bondWei, uint256 votesWei, uint256 weightWei
    );

    error AmountZero();
    error InsufficientFree(uint256 availableWei, uint256 neededWei);
    error InsufficientBond(uint256 availableWei, uint256 neededWei);
    error InsufficientShares(uint256 available, uint256 needed);
    error BondTooLow(uint256 bondWei, uint256 thresholdWei);
    error VoteTooSmall(uint256 amountWei, uint256 minimumWei);
    error VotesOverLimit(uint256 votesWei, uint256 limitWei);
    error SlippageShares(uint256 shares, uint256 minShares);
    error SlippageAmount(uint256 amountWei, uint256 minAmountWei);
    error NotRegistered(address node);
    error AlreadyRegistered(address node);
    error RoleInvalid(uint8 role);
    error RoleLocked(address node, Role previous);
    error OperatorTaken(address operator, address owner);
    error OperatorZero();
    error OperatorSignatureInvalid(address operator);
    error SignatureExpired(uint64 deadline, uint64 nowAt);
    error VoterShareTooHigh(uint16 voterShareBps);
    error ProfileInvalid(string field, uint256 length, uint256 maximum);
    error ThawUnknown(address account, uint256 id);
    error ThawNotReleased(uint256 id, uint64 releaseAt);
    /// @notice Until `until`, all of this exit is held for open disputes (see {IStakingHooks-freeze}).
    error ExitFrozen(uint256 id, uint64 until);
    error NotActing(address account, address node);
    error StillJailed(uint64 until);
    error StillSuspended();
    error TransferFailed(address to, uint256 amountWei);
    error ParameterInvalid(string name);

    // ---- money ----

    /// @notice Adds the sent value to the caller's free stake. Emits {Staked}. Requires a value above 0, and all that the
    /// contract holds to fit 96 bits (79 billion CAI), so that no sum can overflow later in somebody's exit.
    function stake() external payable;

    /// @notice Releases the caller's matured thaws `thawIds` into free, then pays `freeWei` of free to `to`.
    /// `freeWei` = type(uint256).max pays all that is free. Emits {ThawReleased} for each thaw, {Withdrawn} if something is paid.
    /// Requires each thaw to exist and to be released, and enough free; if something is paid, a `to` that is not zero and
    /// takes it. Only the caller's own ids are walked. Of an exit of bond that a freeze holds, what is held stays under its id
    /// ({ThawReleased} tells what left); if all of it is held, reverts {ExitFrozen}.
    function withdraw(uint256[] calldata thawIds, uint256 freeWei, address payable to) external;

    /// @notice Moves `amountWei` from the caller's free stake to its node's bond. Requires a registered node.
    /// Emits {Bonded}, {NodeWeightChanged}.
    function bond(uint256 amountWei) external;

    /// @notice Starts the thaw of `amountWei` of the caller's bond. Returns the thaw's id. The node goes inactive when
    /// what remains is not strictly over the threshold. A coordinator keeps what its lines and claims need, else
    /// {IStakingHooks-BondCommitted}. Exits of one account, node, kind and second are one exit. Emits {ThawStarted},
    /// {NodeWeightChanged}.
    function unbond(uint256 amountWei) external returns (uint256 id);

    /// @notice Moves `amountWei` of the caller's free stake into `node`'s vote pool for at least `minShares` shares; what does
    /// not buy a whole share stays free. Requires a registered node, at least {minVoteWei}, and votes afterwards at most
    /// 16 x bond (so some bond). Where rewards have lifted the price of a share a millionfold, the minimum is 10^18 shares'
    /// worth instead. Emits {Voted} with what was paid, {NodeWeightChanged}.
    function vote(address node, uint256 amountWei, uint256 minShares) external returns (uint256 shares);

    /// @notice Starts the thaw of `shares` of the caller's votes, worth at least `minAmountWei`. What remains of the
    /// position must be 0 or worth the minimum of {vote}. Possible whatever state the node is in. Emits {ThawStarted}, {NodeWeightChanged}.
    function unvote(address node, uint256 shares, uint256 minAmountWei) external returns (uint256 id);

    // ---- nodes ----

    /// @notice Makes the caller a node. The sent value is added to free first; `bondWei` moves from free to the bond and
    /// must lift it strictly over the role's threshold. `operatorSignature` is the operator's EIP-712 `Registration` over
    /// (owner = caller, operator, role, nonce, deadline): proof of possession, so nobody squats on or front-runs an operator key.
    /// A node that has left may come back, in its old role as long as votes remain in its pool or its bond counted in one of
    /// the two epochs before this one ({activeBondAt} of two roles never mix). To voters who stayed, a lower voter share than before
    /// takes effect after one thaw period, as in {setVoterShare}; {NodeRegistered} tells the share in force.
    /// Emits {Staked} if value is sent, {OperatorSet}, {NodeRegistered}, {VoterShareSet} for a share that waits, {ProfileSet},
    /// {Bonded}, {NodeWeightChanged}.
    function register(
        Role role,
        address operator,
        uint16 voterShareBps,
        uint256 bondWei,
        Profile calldata profile,
        uint64 deadline,
        bytes calldata operatorSignature
    ) external payable;

    /// @notice Replaces the node's profile. Emits {ProfileSet}.
    function setProfile(Profile calldata profile) external;

    /// @notice Replaces the node's operator, with the new operator's `Registration` signature. The old key stays bound to
    /// this owner for ever; its signatures count for one thaw period more (see {operatorRecord}). Emits {OperatorSet}.
    function setOperator(address operator, uint64 deadline, bytes calldata operatorSignature) external;

    /// @notice Changes the voters' share. A rise takes effect at once, a drop after one thaw period. Emits {VoterShareSet}.
    function setVoterShare(uint16 voterShareBps) external;

    /// @notice Takes the node off the list and starts the thaw of its whole bond. Voters leave by {unvote}. The operator's
    /// signatures count for one thaw period more. A coordinator's lines and claims must need no bond, else
    /// {IStakingHooks-BondCommitted}. Emits {NodeDeregistered}, {ThawStarted}, {NodeWeightChanged}.
    function deregister() external;

    /// @notice Makes the node inactive until it rejoins: no tasks, no jury duty, no stream. For its owner or operator.
    /// Emits {Rested}, {NodeWeightChanged}.
    function rest(address node) external;

    /// @notice Ends a rest or, once its time is over, a jail. For the node's owner or operator. Reverts {StillJailed} before
    /// that time and {StillSuspended} for a coordinator that owes a reveal. Emits {Rejoined}, {NodeWeightChanged}.
    function rejoin(address node) external;

    // ---- views ----

    function getNode(address node) external view returns (NodeView memory);

    /// @notice Registered nodes of `role`, from `offset`, at most `limit`. The last of the list takes the place of a node that
    /// leaves, so pages belong together only at one block.
    function getNodes(Role role, uint256 offset, uint256 limit) external view returns (NodeView[] memory);

    function nodeCount(Role role) external view returns (uint256);

    /// @notice What counts for the node in draws and rewards, as of its last settlement.
    function weightOf(address node) external view returns (uint256);

    /// @notice Sum of the weights of the role's active nodes.
    function totalWeight(Role role) external view returns (uint256);

    /// @notice Bond that counted for the node at the end of `epoch` (0 while inactive), for the epochs that
    /// {IStakingHooks-minerBondAt} knows.
    function activeBondAt(address node, uint64 epoch) external view returns (uint256);

    function getAccount(address account) external view returns (AccountView memory);

    /// @notice Shares of `node`'s vote pool that `account` holds, and what they are worth after a settlement now.
    function votesOf(address account, address node) external view returns (uint256 shares, uint256 amountWei);

    /// @notice Those of the account's exits `ids` that are not withdrawn, in the order given; ids come from {ThawStarted}.
    function getThaws(address account, uint256[] calldata ids) external view returns (ThawView[] memory);

    /// @notice The id of an account's exit: `node << 96 | kind << 64 | releaseAt`.
    function thawId(address node, ThawKind kind, uint64 releaseAt) external pure returns (uint256);

    /// @notice The freeze in force on withdrawals of `node`'s bond, (0, 0) if there is none: they leave `bondWei` of bond and
    /// thawing bond in the node, until `until` at most (see {IStakingHooks-freeze}).
    function freezeOf(address node) external view returns (uint256 bondWei, uint64 until);

    /// @notice EIP-712 digest of a `Registration`, for wallets and tests.
    function registrationDigest(address owner, address operator, Role role, uint256 nonce, uint64 deadline)
        external
        view
        returns (bytes32);

    /// @notice Bond that must be exceeded, in wei: 20,000 CAI for miners, 2,000,000 CAI for coordinators.
    function threshold(Role role) external view returns (uint256);

    function minVoteWei() external view returns (uint256);
}
