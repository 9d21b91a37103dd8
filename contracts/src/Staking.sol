// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IStaking, Profile, Role, ThawKind} from "./interfaces/IStaking.sol";
import {Pool, SharePool} from "./libraries/SharePool.sol";

/// @title Staking
/// @notice Holds all stake of the network. No admin, no pause, no upgrade; see {IStaking} for what each function promises.
///
/// Each function keeps one order: checks, stake out of one bucket, stake into another, totals, events, and only
/// {withdraw} calls out, last. Nothing is computed from the contract's balance, so value forced into it changes nothing.
contract Staking is IStaking, EIP712, ReentrancyGuardTransient {
    using SafeCast for uint256;
    using SharePool for Pool;

    /// @dev `known` is set by the first {stake} and keeps the slot non-zero while all is voted or bonded: the account's first
    /// exit then need not pay 17,100 gas for a fresh slot.
    struct Account {
        uint96 freeWei;
        uint64 thawCount;
        bool known;
    }

    /// @dev Slot by slot: a fresh one costs 22,100 gas and {register} writes three; votes and bond need the second alone.
    struct Node {
        address operator;
        uint16 voterShareBps;
        // A drop on its way; `nextVoterShareAt` (unix seconds, until 2106) is 0 when there is none.
        uint16 nextVoterShareBps;
        uint32 nextVoterShareAt;
        // 1-based place in the role's list.
        uint32 place;
        // ---
        uint96 bondWei;
        // Active bond at the end of the epoch before `epoch`, the last one in which the active bond changed. The active bond
        // now follows from `bondWei`, `role` and `registered`.
        uint96 previousActiveBondWei;
        uint32 epoch;
        // Of 65,535 operator changes in an owner's life; only the owner can use them up.
        uint16 nonce;
        // Kept after leaving: it is what remaining voters agreed to.
        Role role;
        bool registered;
        // ---
        bytes32 profileHash;
        Pool votes;
        Pool thawingBond;
        Pool thawingVotes;
    }

    struct Listing {
        address node;
        uint64 registeredAt;
    }

    struct RoleTotals {
        uint96 activeBondWei;
        uint96 previousActiveBondWei;
        uint32 epoch;
        uint32 count;
        // ---
        uint128 weightWei;
    }

    struct Position {
        uint128 shares;
        uint32 generation;
    }

    /// @dev `releaseAt` is never 0 in a live record. Bond always thaws for its own node, so `node` is zero there, which saves
    /// {unbond} a fresh slot.
    struct Thaw {
        uint128 shares;
        uint32 generation;
        uint64 releaseAt;
        ThawKind kind;
        // ---
        address node;
    }

    struct OperatorRecord {
        address node;
        uint64 validUntil;
    }

    /// @dev What a node contributes to its role's totals.
    struct Standing {
        Role role;
        uint256 bondWei;
        uint256 votesWei;
        uint256 activeBondWei;
        uint256 weightWei;
    }

    bytes32 private constant REGISTRATION_TYPEHASH =
        keccak256("Registration(address owner,address operator,uint8 role,uint256 nonce,uint64 deadline)");

    uint256 private constant MINER_THRESHOLD = 20_000 ether;
    uint256 private constant COORDINATOR_THRESHOLD = 2_000_000 ether;
    uint256 private constant MIN_VOTE = 1 ether;
    /// @dev A millionth of what MIN_VOTE buys in a fresh pool. A minimum in wei alone lets a lone holder ratchet the price of a
    /// share up, by rewards to itself and exits down to the minimum, until others' entries round down by real money.
    uint256 private constant MIN_SHARES = 1e18;
    /// @dev A slash of `b` of the bond takes at most `b/10` of the votes: with 16 times the bond in votes, voters together lose
    /// at most 1.6 times what the owner loses.
    uint256 private constant MAX_VOTES_PER_BOND = 16;
    uint16 private constant BPS = 10_000;

    uint256 private constant MAX_NAME_BYTES = 64;
    uint256 private constant MAX_URL_BYTES = 256;
    uint256 private constant MAX_DESCRIPTION_BYTES = 1024;

    /// @inheritdoc IStaking
    uint64 public immutable thawSeconds;
    /// @inheritdoc IStaking
    uint64 public immutable epochSeconds;

    mapping(address account => Account) internal _accounts;
    mapping(address node => Node) internal _nodes;
    mapping(address account => mapping(address node => Position)) internal _positions;
    mapping(address account => mapping(uint256 id => Thaw)) internal _thaws;
    mapping(address operator => OperatorRecord) internal _operators;
    mapping(Role role => RoleTotals) internal _totals;
    mapping(Role role => mapping(uint256 place => Listing)) internal _listings;
    uint256 internal _undistributedWei;

    /// @param thawSeconds_ how long stake stays slashable after its exit began: 1 minute (devnet) to 60 days
    /// @param epochSeconds_ length of the epochs of {activeBondAt}: 10 seconds to 30 days, and not over `thawSeconds_`, so
    /// that bond which still counts for an epoch is still slashable
    constructor(uint64 thawSeconds_, uint64 epochSeconds_) EIP712("Cuckoo", "1") {
        if (thawSeconds_ < 1 minutes || thawSeconds_ > 60 days) revert ParameterInvalid("thawSeconds");
        if (epochSeconds_ < 10 seconds || epochSeconds_ > 30 days || epochSeconds_ > thawSeconds_) {
            revert ParameterInvalid("epochSeconds");
        }
        thawSeconds = thawSeconds_;
        epochSeconds = epochSeconds_;
    }

    // ---- money ----

    /// @inheritdoc IStaking
    function stake() external payable nonReentrant {
        if (msg.value == 0) revert AmountZero();
        Account storage account = _accounts[msg.sender];
        account.freeWei = (account.freeWei + _received()).toUint96();
        account.known = true;
    }

    /// @inheritdoc IStaking
    function withdraw(uint256[] calldata thawIds, uint256 freeWei, address payable to) external nonReentrant {
        Account storage account = _accounts[msg.sender];
        uint256 availableWei = account.freeWei;
        for (uint256 i = 0; i < thawIds.length; ++i) {
            availableWei += _releaseThaw(thawIds[i]);
        }
        uint256 paidWei = freeWei == type(uint256).max ? availableWei : freeWei;
        if (paidWei > availableWei) revert InsufficientFree(availableWei, paidWei);
        account.freeWei = (availableWei - paidWei).toUint96();
        if (paidWei != 0) _pay(to, paidWei);
    }

    /// @inheritdoc IStaking
    function bond(uint256 amountWei) external nonReentrant {
        if (amountWei == 0) revert AmountZero();
        Node storage node = _registered(msg.sender);
        Standing memory before = _standing(node);
        _takeFree(_accounts[msg.sender].freeWei, amountWei);
        _addBond(node, amountWei);
        _updateTotals(msg.sender, node, before);
    }

    /// @inheritdoc IStaking
    function unbond(uint256 amountWei) external nonReentrant returns (uint256 id) {
        if (amountWei == 0) revert AmountZero();
        Node storage node = _nodes[msg.sender];
        uint256 bondWei = node.bondWei;
        if (amountWei > bondWei) revert InsufficientBond(bondWei, amountWei);
        Standing memory before = _standing(node);
        node.bondWei = (bondWei - amountWei).toUint96();
        id = _startThaw(msg.sender, ThawKind.Bond, node.thawingBond, amountWei);
        _updateTotals(msg.sender, node, before);
    }

    /// @inheritdoc IStaking
    function vote(address node, uint256 amountWei, uint256 minShares) external nonReentrant returns (uint256 shares) {
        Node storage voted = _registered(node);
        Standing memory before = _standing(voted);
        Pool memory votes = voted.votes;
        _takeFree(_accounts[msg.sender].freeWei, amountWei);

        shares = votes.enter(amountWei);
        _requireMinimum(votes, shares, amountWei);
        if (shares < minShares) revert SlippageShares(shares, minShares);
        uint256 limitWei = MAX_VOTES_PER_BOND * voted.bondWei;
        if (votes.assetsWei > limitWei) revert VotesOverLimit(votes.assetsWei, limitWei);
        voted.votes.save(votes);

        Position storage position = _positions[msg.sender][node];
        uint256 heldShares = votes.liveShares(position.shares, position.generation);
        (position.shares, position.generation) = ((heldShares + shares).toUint128(), votes.generation);
        emit Voted(msg.sender, node, amountWei, shares);
        _updateTotals(node, voted, before);
    }

    /// @inheritdoc IStaking
    function unvote(address node, uint256 shares, uint256 minAmountWei) external nonReentrant returns (uint256 id) {
        if (shares == 0) revert AmountZero();
        Node storage voted = _nodes[node];
        Position storage position = _positions[msg.sender][node];
        Pool memory votes = voted.votes;
        uint256 heldShares = votes.liveShares(position.shares, position.generation);
        if (shares > heldShares) revert InsufficientShares(heldShares, shares);
        Standing memory before = _standing(voted);

        (uint256 amountWei, uint256 dustWei) = votes.exit(shares);
        if (amountWei < minAmountWei) revert SlippageAmount(amountWei, minAmountWei);
        uint256 keptShares = heldShares - shares;
        if (keptShares != 0) _requireMinimum(votes, keptShares, votes.toAssets(keptShares));
        position.shares = keptShares.toUint128();
        voted.votes.save(votes);
        _sweep(dustWei);
        id = _startThaw(node, ThawKind.Votes, voted.thawingVotes, amountWei);
        _updateTotals(node, voted, before);
    }

    // ---- nodes ----

    /// @inheritdoc IStaking
    function register(
        Role role,
        address operator,
        uint16 voterShareBps,
        uint256 bondWei,
        Profile calldata profile,
        uint64 deadline,
        bytes calldata operatorSignature
    ) external payable nonReentrant {
        if (role == Role.None) revert RoleInvalid(uint8(role));
        Node storage node = _nodes[msg.sender];
        if (node.registered) revert AlreadyRegistered(msg.sender);
        if (bondWei <= threshold(role)) revert BondTooLow(bondWei, threshold(role));
        _takeRole(node, role);
        Standing memory before = _standing(node);

        _takeFree(_accounts[msg.sender].freeWei + _received(), bondWei);
        _setOperator(node, operator, deadline, operatorSignature);
        // Voters who stayed are owed the same notice as if the node had not left and come back.
        if (node.votes.shares == 0) (node.voterShareBps, node.nextVoterShareAt) = (0, 0);
        uint64 effectiveAt = _setVoterShare(node, voterShareBps);
        emit NodeRegistered(msg.sender, role, operator, bondWei, node.voterShareBps);
        if (effectiveAt > block.timestamp) emit VoterShareSet(msg.sender, voterShareBps, effectiveAt);
        _setProfile(node, profile);
        _addBond(node, bondWei);
        _list(node, role);
        _updateTotals(msg.sender, node, before);
    }

    /// @inheritdoc IStaking
    function setProfile(Profile calldata profile) external {
        _setProfile(_registered(msg.sender), profile);
    }

    /// @inheritdoc IStaking
    function setOperator(address operator, uint64 deadline, bytes calldata operatorSignature) external {
        _setOperator(_registered(msg.sender), operator, deadline, operatorSignature);
    }

    /// @inheritdoc IStaking
    function setVoterShare(uint16 voterShareBps) external {
        uint64 effectiveAt = _setVoterShare(_registered(msg.sender), voterShareBps);
        emit VoterShareSet(msg.sender, voterShareBps, effectiveAt);
    }

    /// @inheritdoc IStaking
    function deregister() external nonReentrant {
        Node storage node = _registered(msg.sender);
        Standing memory before = _standing(node);
        uint256 bondWei = node.bondWei;
        node.bondWei = 0;
        _operators[node.operator].validUntil = _thawEnd();
        node.operator = address(0);
        _unlist(node, node.role);
        emit NodeDeregistered(msg.sender, node.role);
        if (bondWei != 0) _startThaw(msg.sender, ThawKind.Bond, node.thawingBond, bondWei);
        _updateTotals(msg.sender, node, before);
    }

    // ---- views ----

    /// @inheritdoc IStaking
    function getNode(address node) public view returns (NodeView memory) {
        Node storage viewed = _nodes[node];
        bool registered = viewed.registered;
        return NodeView({
            owner: node,
            role: registered ? viewed.role : Role.None,
            active: isActive(node),
            operator: viewed.operator,
            voterShareBps: _voterShareBps(viewed),
            registeredAt: registered ? _listings[viewed.role][viewed.place].registeredAt : 0,
            bondWei: viewed.bondWei,
            votesWei: viewed.votes.assetsWei,
            voteShares: viewed.votes.shares,
            weightWei: weightOf(node),
            nonce: viewed.nonce,
            profileHash: viewed.profileHash
        });
    }

    /// @inheritdoc IStaking
    function getNodes(Role role, uint256 offset, uint256 limit) external view returns (NodeView[] memory nodes) {
        uint256 count = _totals[role].count;
        if (offset >= count) return nodes;
        nodes = new NodeView[](Math.min(limit, count - offset));
        for (uint256 i = 0; i < nodes.length; ++i) {
            nodes[i] = getNode(_listings[role][offset + i + 1].node);
        }
    }

    /// @inheritdoc IStaking
    function nodeCount(Role role) external view returns (uint256) {
        return _totals[role].count;
    }

    /// @inheritdoc IStaking
    function isActive(address node) public view returns (bool) {
        return _standing(_nodes[node]).activeBondWei != 0;
    }

    /// @inheritdoc IStaking
    function weightOf(address node) public view returns (uint256) {
        return _standing(_nodes[node]).weightWei;
    }

    /// @inheritdoc IStaking
    function totalWeight(Role role) external view returns (uint256) {
        return _totals[role].weightWei;
    }

    /// @inheritdoc IStaking
    function operatorRecord(address operator) external view returns (address node, uint64 validUntil) {
        OperatorRecord storage record = _operators[operator];
        return (record.node, record.validUntil);
    }

    /// @inheritdoc IStaking
    function activeBondAt(address node, uint64 epoch) external view returns (uint256) {
        Node storage viewed = _nodes[node];
        return _bondAt(epoch, _standing(viewed).activeBondWei, viewed.previousActiveBondWei, viewed.epoch);
    }

    /// @inheritdoc IStaking
    function totalActiveBondAt(Role role, uint64 epoch) external view returns (uint256) {
        RoleTotals storage totals = _totals[role];
        return _bondAt(epoch, totals.activeBondWei, totals.previousActiveBondWei, totals.epoch);
    }

    /// @inheritdoc IStaking
    function currentEpoch() public view returns (uint64) {
        return (block.timestamp / epochSeconds).toUint64();
    }

    /// @inheritdoc IStaking
    function getAccount(address account) external view returns (AccountView memory) {
        return AccountView(_accounts[account].freeWei, _nodes[account].bondWei, _accounts[account].thawCount);
    }

    /// @inheritdoc IStaking
    function votesOf(address account, address node) external view returns (uint256 shares, uint256 amountWei) {
        Pool memory votes = _nodes[node].votes;
        Position memory position = _positions[account][node];
        shares = votes.liveShares(position.shares, position.generation);
        amountWei = votes.toAssets(shares);
    }

    /// @inheritdoc IStaking
    function getThaws(address account, uint256 fromId, uint256 limit) external view returns (ThawView[] memory thaws) {
        uint256 count = _accounts[account].thawCount;
        if (fromId >= count) return thaws;
        thaws = new ThawView[](Math.min(limit, count - fromId));
        uint256 live = 0;
        for (uint256 id = fromId; id < fromId + thaws.length; ++id) {
            Thaw memory thaw = _thaws[account][id];
            if (thaw.releaseAt == 0) continue;
            (address node, Pool storage thawing) = _thawPool(account, thaw);
            Pool memory pool = thawing;
            uint256 amountWei = pool.toAssets(pool.liveShares(thaw.shares, thaw.generation));
            thaws[live++] = ThawView(id, node, thaw.kind, amountWei, thaw.releaseAt);
        }
        // Cuts the array to the live ones; the ids of withdrawn thaws leave gaps.
        assembly ("memory-safe") {
            mstore(thaws, live)
        }
    }

    /// @inheritdoc IStaking
    function registrationDigest(address owner, address operator, Role role, uint256 nonce, uint64 deadline)
        public
        view
        returns (bytes32)
    {
        return _hashTypedDataV4(keccak256(abi.encode(REGISTRATION_TYPEHASH, owner, operator, role, nonce, deadline)));
    }

    /// @inheritdoc IStaking
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @inheritdoc IStaking
    function threshold(Role role) public pure returns (uint256) {
        if (role == Role.None) revert RoleInvalid(uint8(role));
        return role == Role.Miner ? MINER_THRESHOLD : COORDINATOR_THRESHOLD;
    }

    /// @inheritdoc IStaking
    function minVoteWei() external pure returns (uint256) {
        return MIN_VOTE;
    }

    /// @inheritdoc IStaking
    function undistributedWei() external view returns (uint256) {
        return _undistributedWei;
    }

    // ---- money, inside ----

    /// @dev Everything the contract ever holds fits 96 bits (79 billion CAI), so no sum of parts of it overflows later, in
    /// somebody's exit. Only an entry can be refused by this.
    function _received() private returns (uint256) {
        address(this).balance.toUint96();
        if (msg.value != 0) emit Staked(msg.sender, msg.value);
        return msg.value;
    }

    function _takeFree(uint256 availableWei, uint256 amountWei) private {
        if (amountWei > availableWei) revert InsufficientFree(availableWei, amountWei);
        _accounts[msg.sender].freeWei = (availableWei - amountWei).toUint96();
    }

    function _requireMinimum(Pool memory votes, uint256 shares, uint256 amountWei) private pure {
        if (amountWei >= MIN_VOTE && shares >= MIN_SHARES) return;
        revert VoteTooSmall(amountWei, Math.max(MIN_VOTE, votes.toAssets(MIN_SHARES)));
    }

    function _addBond(Node storage node, uint256 amountWei) private {
        uint256 bondWei = node.bondWei + amountWei;
        node.bondWei = bondWei.toUint96();
        emit Bonded(msg.sender, amountWei, bondWei);
    }

    function _sweep(uint256 dustWei) private {
        if (dustWei != 0) _undistributedWei += dustWei;
    }

    function _startThaw(address node, ThawKind kind, Pool storage thawing, uint256 amountWei)
        private
        returns (uint256 id)
    {
        id = _accounts[msg.sender].thawCount++;
        uint64 releaseAt = _thawEnd();
        Pool memory pool = thawing;
        uint128 shares = pool.enter(amountWei).toUint128();
        thawing.save(pool);
        address stored = kind == ThawKind.Bond ? address(0) : node;
        _thaws[msg.sender][id] = Thaw(shares, pool.generation, releaseAt, kind, stored);
        emit ThawStarted(msg.sender, node, kind, id, amountWei, releaseAt);
    }

    function _releaseThaw(uint256 id) private returns (uint256 amountWei) {
        Thaw memory thaw = _thaws[msg.sender][id];
        if (thaw.releaseAt == 0) revert ThawUnknown(msg.sender, id);
        if (block.timestamp < thaw.releaseAt) revert ThawNotReleased(id, thaw.releaseAt);
        delete _thaws[msg.sender][id];
        (address node, Pool storage thawing) = _thawPool(msg.sender, thaw);
        Pool memory pool = thawing;
        uint256 dustWei;
        (amountWei, dustWei) = pool.exit(pool.liveShares(thaw.shares, thaw.generation));
        thawing.save(pool);
        _sweep(dustWei);
        emit ThawReleased(msg.sender, node, id, amountWei);
    }

    function _thawPool(address account, Thaw memory thaw) private view returns (address node, Pool storage pool) {
        if (thaw.kind == ThawKind.Bond) return (account, _nodes[account].thawingBond);
        return (thaw.node, _nodes[thaw.node].thawingVotes);
    }

    function _thawEnd() private view returns (uint64) {
        return (block.timestamp + thawSeconds).toUint64();
    }

    /// @dev Nothing of the receiver's return data is copied, so it cannot make the caller pay for memory.
    function _pay(address payable to, uint256 amountWei) private {
        if (to == address(0)) revert ParameterInvalid("to");
        emit Withdrawn(msg.sender, to, amountWei);
        bool paid;
        assembly ("memory-safe") {
            paid := call(gas(), to, amountWei, 0, 0, 0, 0)
        }
        if (!paid) revert TransferFailed(to, amountWei);
    }

    // ---- nodes, inside ----

    function _registered(address node) private view returns (Node storage found) {
        found = _nodes[node];
        if (!found.registered) revert NotRegistered(node);
    }

    /// @dev A node changes its role only when nothing of the old one counts: no votes given to it, and no bond in the epochs
    /// of {activeBondAt}, where a coordinator's bond would otherwise become a miner's, two orders larger than the others'.
    function _takeRole(Node storage node, Role role) private {
        Role previous = node.role;
        if (previous == role) return;
        bool counts = node.epoch == currentEpoch() && node.previousActiveBondWei != 0;
        if (node.votes.shares != 0 || counts) revert RoleLocked(msg.sender, previous);
        node.role = role;
    }

    /// @dev Operators sign from hot keys, so they are externally owned accounts: ECDSA only, no ERC-1271 call.
    function _setOperator(Node storage node, address operator, uint64 deadline, bytes calldata signature) private {
        if (operator == address(0)) revert OperatorZero();
        if (block.timestamp > deadline) revert SignatureExpired(deadline, block.timestamp.toUint64());
        address owner = _operators[operator].node;
        if (owner != address(0) && owner != msg.sender) revert OperatorTaken(operator, owner);
        bytes32 digest = registrationDigest(msg.sender, operator, node.role, node.nonce++, deadline);
        (address signer,,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (signer != operator) revert OperatorSignatureInvalid(operator);

        address previous = node.operator;
        // First the old, then the new: they may be the same key.
        if (previous != address(0)) _operators[previous].validUntil = _thawEnd();
        _operators[operator] = OperatorRecord(msg.sender, type(uint64).max);
        node.operator = operator;
        emit OperatorSet(msg.sender, operator, previous);
    }

    function _setVoterShare(Node storage node, uint16 voterShareBps) private returns (uint64 effectiveAt) {
        if (voterShareBps > BPS) revert VoterShareTooHigh(voterShareBps);
        uint16 inForce = _voterShareBps(node);
        if (voterShareBps >= inForce) {
            (node.voterShareBps, node.nextVoterShareBps, node.nextVoterShareAt) = (voterShareBps, 0, 0);
            return block.timestamp.toUint64();
        }
        effectiveAt = _thawEnd();
        node.voterShareBps = inForce;
        node.nextVoterShareBps = voterShareBps;
        node.nextVoterShareAt = uint256(effectiveAt).toUint32();
    }

    function _voterShareBps(Node storage node) private view returns (uint16) {
        uint256 nextAt = node.nextVoterShareAt;
        return nextAt != 0 && block.timestamp >= nextAt ? node.nextVoterShareBps : node.voterShareBps;
    }

    function _setProfile(Node storage node, Profile calldata profile) private {
        uint256 length = bytes(profile.name).length;
        if (length == 0 || length > MAX_NAME_BYTES) revert ProfileInvalid("name", length, MAX_NAME_BYTES);
        length = bytes(profile.url).length;
        if (length > MAX_URL_BYTES) revert ProfileInvalid("url", length, MAX_URL_BYTES);
        length = bytes(profile.description).length;
        if (length > MAX_DESCRIPTION_BYTES) revert ProfileInvalid("description", length, MAX_DESCRIPTION_BYTES);
        node.profileHash = keccak256(abi.encode(profile));
        emit ProfileSet(msg.sender, profile.name, profile.url, profile.description);
    }

    function _list(Node storage node, Role role) private {
        uint32 place = ++_totals[role].count;
        _listings[role][place] = Listing(msg.sender, block.timestamp.toUint64());
        (node.place, node.registered) = (place, true);
    }

    /// @dev The last of the list takes the place of the one that leaves.
    function _unlist(Node storage node, Role role) private {
        uint32 place = node.place;
        uint32 last = _totals[role].count--;
        if (place != last) {
            Listing memory moved = _listings[role][last];
            _listings[role][place] = moved;
            _nodes[moved.node].place = place;
        }
        delete _listings[role][last];
        (node.place, node.registered) = (0, false);
    }

    function _standing(Node storage node) internal view returns (Standing memory standing) {
        standing.role = node.role;
        standing.bondWei = node.bondWei;
        standing.votesWei = node.votes.assetsWei;
        if (!node.registered || standing.bondWei <= threshold(standing.role)) return standing;
        standing.activeBondWei = standing.bondWei;
        standing.weightWei = standing.bondWei + Math.min(standing.votesWei, MAX_VOTES_PER_BOND * standing.bondWei);
    }

    /// @dev Carries a change of `owner`'s bond, votes or registration into its role's totals and the epochs.
    /// @param before the node's standing before the change
    function _updateTotals(address owner, Node storage node, Standing memory before) internal {
        Standing memory standing = _standing(node);
        RoleTotals storage totals = _totals[standing.role];
        if (standing.activeBondWei != before.activeBondWei) {
            // Below 2^32 until the year 3331 with the shortest epoch.
            uint32 epoch = uint256(currentEpoch()).toUint32();
            if (node.epoch != epoch) {
                (node.previousActiveBondWei, node.epoch) = (before.activeBondWei.toUint96(), epoch);
            }
            uint96 totalBondWei = totals.activeBondWei;
            if (totals.epoch != epoch) (totals.previousActiveBondWei, totals.epoch) = (totalBondWei, epoch);
            totals.activeBondWei = (totalBondWei + standing.activeBondWei - before.activeBondWei).toUint96();
        }
        totals.weightWei = (totals.weightWei + standing.weightWei - before.weightWei).toUint128();
        emit NodeWeightChanged(
            owner, standing.role, standing.activeBondWei != 0, standing.bondWei, standing.votesWei, standing.weightWei
        );
    }

    /// @param current active bond now
    /// @param previous active bond at the end of the epoch before `changedIn`
    /// @param changedIn epoch of the last change
    function _bondAt(uint64 epoch, uint256 current, uint256 previous, uint256 changedIn)
        private
        view
        returns (uint256)
    {
        uint256 epochNow = currentEpoch();
        if (epoch == epochNow) return current;
        if (uint256(epoch) + 1 != epochNow) revert ParameterInvalid("epoch");
        return changedIn == epochNow ? previous : current;
    }
}
