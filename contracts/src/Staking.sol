// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Rewards} from "./Rewards.sol";
import {Settlement} from "./Settlement.sol";
import {StakingBase} from "./StakingBase.sol";
import {StakingHooks} from "./StakingHooks.sol";
import {IPayments} from "./interfaces/IPayments.sol";
import {IStaking, Profile, StakingParameters, ThawKind} from "./interfaces/IStaking.sol";
import {Role} from "./interfaces/Role.sol";
import {Pool, SharePool, StoredPool} from "./libraries/SharePool.sol";

/// @title Staking
/// @notice Holds all stake of the network. No admin, no pause, no upgrade; see {IStaking} for what each function promises.
///
/// Each function keeps one order: checks, settlement, stake out of one bucket, stake into another, totals, events, and only
/// {withdraw} and {slash} send, last. Nothing is computed from the contract's balance, so value forced into it changes nothing.
contract Staking is StakingHooks {
    using SafeCast for uint256;
    using SharePool for Pool;
    using SharePool for StoredPool;

    bytes32 private constant REGISTRATION_TYPEHASH =
        keccak256("Registration(address owner,address operator,uint8 role,uint256 nonce,uint64 deadline)");

    uint256 private constant MIN_VOTE = 1 ether;
    /// @dev A millionth of what MIN_VOTE buys in a fresh pool. A minimum in wei alone lets a lone holder ratchet the price of a
    /// share up, by rewards to itself and exits down to the minimum, until others' entries round down by real money.
    uint256 private constant MIN_SHARES = 1e18;

    uint256 private constant MAX_NAME_BYTES = 64;
    uint256 private constant MAX_URL_BYTES = 256;
    uint256 private constant MAX_DESCRIPTION_BYTES = 1024;

    constructor(StakingParameters memory parameters)
        StakingBase(parameters)
        Settlement(parameters)
        Rewards(parameters)
    {}

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
        if (paidWei == 0) return;
        if (to == address(0)) revert ParameterInvalid("to");
        emit Withdrawn(msg.sender, to, paidWei);
        _send(to, paidWei);
    }

    /// @inheritdoc IStaking
    function bond(uint256 amountWei) external nonReentrant {
        if (amountWei == 0) revert AmountZero();
        _registered(msg.sender);
        Open memory node = _open(msg.sender, false);
        _takeFree(_accounts[msg.sender].freeWei, amountWei);
        _addBond(node, amountWei);
        _touchOlderBond(msg.sender);
        _close(node);
    }

    /// @inheritdoc IStaking
    function unbond(uint256 amountWei) external nonReentrant returns (uint256 id) {
        if (amountWei == 0) revert AmountZero();
        Open memory node = _open(msg.sender, false);
        if (amountWei > node.bondWei) revert InsufficientBond(node.bondWei, amountWei);
        node.bondWei -= amountWei;
        _requireUncommitted(node);
        id = _startThaw(msg.sender, ThawKind.Bond, amountWei);
        _close(node);
    }

    /// @inheritdoc IStaking
    function vote(address node, uint256 amountWei, uint256 minShares) external nonReentrant returns (uint256 shares) {
        _registered(node);
        Open memory voted = _open(node, true);
        Pool memory votes = voted.votes;
        _takeFree(_accounts[msg.sender].freeWei, amountWei);

        uint256 paidWei;
        (shares, paidWei) = votes.sell(amountWei);
        if (paidWei != amountWei) _accounts[msg.sender].freeWei += (amountWei - paidWei).toUint96();
        _requireMinimum(votes, shares, amountWei);
        if (shares < minShares) revert SlippageShares(shares, minShares);
        uint256 limitWei = MAX_VOTES_PER_BOND * voted.bondWei;
        if (votes.assetsWei > limitWei) revert VotesOverLimit(votes.assetsWei, limitWei);
        _setPosition(node, votes, _heldShares(node, votes) + shares);
        emit Voted(msg.sender, node, paidWei, shares);
        _close(voted);
    }

    /// @inheritdoc IStaking
    function unvote(address node, uint256 shares, uint256 minAmountWei) external nonReentrant returns (uint256 id) {
        if (shares == 0) revert AmountZero();
        Open memory voted = _open(node, true);
        Pool memory votes = voted.votes;
        uint256 heldShares = _heldShares(node, votes);
        if (shares > heldShares) revert InsufficientShares(heldShares, shares);

        (uint256 amountWei, uint256 dustWei) = votes.exit(shares);
        if (amountWei < minAmountWei) revert SlippageAmount(amountWei, minAmountWei);
        uint256 keptShares = heldShares - shares;
        if (keptShares != 0) _requireMinimum(votes, keptShares, votes.toAssets(keptShares));
        _setPosition(node, votes, keptShares);
        _addToPool(dustWei);
        id = _startThaw(node, ThawKind.Votes, amountWei);
        _close(voted);
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
        if (roleOf(msg.sender) != Role.None) revert AlreadyRegistered(msg.sender);
        // A claim that came back after the node had left is bond already.
        uint256 bondedWei = _nodes[msg.sender].bondWei + bondWei;
        if (bondedWei <= threshold(role)) revert BondTooLow(bondedWei, threshold(role));
        _takeRole(role);
        _takeFree(_accounts[msg.sender].freeWei + _received(), bondWei);
        _setOperator(operator, deadline, operatorSignature);
        // Opened in the new role, whose index the node starts from.
        Open memory node = _open(msg.sender, false);
        // Voters who stayed are owed the same notice as if the node had not left and come back.
        if (node.votes.shares == 0) node.voterShareBps = 0;
        uint64 effectiveAt = _setVoterShare(node, voterShareBps);
        emit NodeRegistered(msg.sender, role, operator, bondWei, uint16(node.voterShareBps));
        if (effectiveAt > block.timestamp) emit VoterShareSet(msg.sender, voterShareBps, effectiveAt);
        node.place = ++_roles[role].count;
        _listings[role][node.place] = Listing(msg.sender, _announceProfile(profile));
        node.registeredAt = block.timestamp;
        node.flags |= REGISTERED;
        _addBond(node, bondWei);
        _close(node);
    }

    /// @inheritdoc IStaking
    function setProfile(Profile calldata profile) external {
        Node storage node = _registered(msg.sender);
        _listings[node.role][node.place].profileHash = _announceProfile(profile);
    }

    /// @inheritdoc IStaking
    function setOperator(address operator, uint64 deadline, bytes calldata operatorSignature) external {
        _registered(msg.sender);
        _setOperator(operator, deadline, operatorSignature);
    }

    /// @inheritdoc IStaking
    function setVoterShare(uint16 voterShareBps) external nonReentrant {
        _registered(msg.sender);
        Open memory node = _open(msg.sender, false);
        emit VoterShareSet(msg.sender, voterShareBps, _setVoterShare(node, voterShareBps));
        _close(node);
    }

    /// @inheritdoc IStaking
    function deregister() external nonReentrant {
        _registered(msg.sender);
        Open memory node = _open(msg.sender, false);
        uint256 bondWei = node.bondWei;
        node.bondWei = 0;
        _requireUncommitted(node);
        _operators[node.operator].validUntil = _thawEnd();
        node.operator = address(0);
        _unlist(node.role, node.place);
        (node.place, node.flags) = (0, node.flags ^ REGISTERED);
        emit NodeDeregistered(msg.sender, node.role);
        if (bondWei != 0) _startThaw(msg.sender, ThawKind.Bond, bondWei);
        _close(node);
    }

    /// @inheritdoc IStaking
    function rest(address node) external nonReentrant {
        _requireActing(node);
        _registered(node);
        emit Rested(node);
        _setFlag(node, AWAY, true);
    }

    /// @inheritdoc IStaking
    function rejoin(address node) external nonReentrant {
        _requireActing(node);
        Node storage rejoining = _registered(node);
        if (block.timestamp < rejoining.jailedUntil) revert StillJailed(rejoining.jailedUntil);
        if (rejoining.flags & SUSPENDED != 0) revert StillSuspended();
        emit Rejoined(node);
        _touchOlderBond(node);
        _setFlag(node, AWAY, false);
    }

    // ---- views ----

    /// @inheritdoc IStaking
    function getNode(address node) public view returns (NodeView memory found) {
        Open memory viewed = _preview(node);
        found.owner = node;
        found.active = viewed.activeBondBeforeWei != 0;
        found.away = viewed.flags & AWAY != 0;
        found.suspended = viewed.flags & SUSPENDED != 0;
        found.jailedUntil = uint64(viewed.jailedUntil);
        found.operator = viewed.operator;
        found.voterShareBps = uint16(viewed.voterShareBps);
        found.bondWei = viewed.bondWei;
        found.votesWei = viewed.votes.assetsWei;
        found.voteShares = viewed.votes.shares;
        found.weightWei = viewed.weightBeforeWei;
        found.thawingBondWei = _nodes[node].thawingBond.assetsWei;
        found.thawingVotesWei = _nodes[node].thawingVotes.assetsWei;
        found.rewardsWei = viewed.rewardsWei;
        found.nonce = viewed.nonce;
        if (viewed.flags & REGISTERED == 0) return found;
        found.role = viewed.role;
        found.registeredAt = uint64(viewed.registeredAt);
        found.profileHash = _listings[viewed.role][viewed.place].profileHash;
    }

    /// @inheritdoc IStaking
    function getNodes(Role role, uint256 offset, uint256 limit) external view returns (NodeView[] memory nodes) {
        uint256 count = _roles[role].count;
        if (offset >= count) return nodes;
        nodes = new NodeView[](Math.min(limit, count - offset));
        for (uint256 i = 0; i < nodes.length; ++i) {
            nodes[i] = getNode(_listings[role][offset + i + 1].node);
        }
    }

    /// @inheritdoc IStaking
    function nodeCount(Role role) external view returns (uint256) {
        return _roles[role].count;
    }

    /// @inheritdoc IStaking
    function getAccount(address account) external view returns (AccountView memory) {
        return AccountView(_accounts[account].freeWei, _nodes[account].bondWei);
    }

    /// @inheritdoc IStaking
    function votesOf(address account, address node) external view returns (uint256 shares, uint256 amountWei) {
        Pool memory votes = _preview(node).votes;
        Position memory position = _positions[account][node];
        shares = votes.liveShares(position.shares, position.generation);
        amountWei = votes.toAssets(shares);
    }

    /// @inheritdoc IStaking
    function getThaws(address account, uint256[] calldata ids) external view returns (ThawView[] memory thaws) {
        thaws = new ThawView[](ids.length);
        uint256 live = 0;
        for (uint256 i = 0; i < ids.length; ++i) {
            Thaw memory thaw = _thaws[account][ids[i]];
            if (!thaw.live) continue;
            (address node, ThawKind kind, uint64 releaseAt) = _splitThawId(ids[i]);
            Pool memory pool = _thawPool(node, kind).load();
            uint256 amountWei = pool.toAssets(pool.liveShares(thaw.shares, thaw.generation));
            thaws[live++] = ThawView(ids[i], node, kind, amountWei, releaseAt);
        }
        // Cuts the array to the live ones.
        assembly ("memory-safe") {
            mstore(thaws, live)
        }
    }

    /// @inheritdoc IStaking
    function thawId(address node, ThawKind kind, uint64 releaseAt) public pure returns (uint256) {
        return uint256(uint160(node)) << 96 | uint256(kind) << 64 | releaseAt;
    }

    /// @inheritdoc IStaking
    function registrationDigest(address owner, address operator, Role role, uint256 nonce, uint64 deadline)
        public
        view
        returns (bytes32)
    {
        bytes32 content = keccak256(abi.encode(REGISTRATION_TYPEHASH, owner, operator, role, nonce, deadline));
        return MessageHashUtils.toTypedDataHash(domainSeparator(), content);
    }

    /// @inheritdoc IStaking
    function minVoteWei() external pure returns (uint256) {
        return MIN_VOTE;
    }

    // ---- money, inside ----

    function _received() private returns (uint256) {
        _requireFit();
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

    /// @dev What a coordinator's lines and claims need stays bonded.
    function _requireUncommitted(Open memory node) private view {
        if (node.role != Role.Coordinator) return;
        uint256 requiredWei = IPayments(payments).requiredBondWei(node.owner);
        if (node.bondWei < requiredWei) revert BondCommitted(node.bondWei, requiredWei);
    }

    function _addBond(Open memory node, uint256 amountWei) private {
        node.bondWei += amountWei;
        emit Bonded(msg.sender, amountWei, node.bondWei);
    }

    function _heldShares(address node, Pool memory votes) private view returns (uint256) {
        Position storage position = _positions[msg.sender][node];
        return votes.liveShares(position.shares, position.generation);
    }

    function _setPosition(address node, Pool memory votes, uint256 shares) private {
        _positions[msg.sender][node] = Position(shares.toUint128(), uint32(votes.generation));
    }

    /// @dev Pays for the node's slot there once, so that its first {unbond} never does.
    function _touchOlderBond(address node) private {
        if (_olderBonds[node] == 0) _olderBonds[node] = 1;
    }

    function _startThaw(address node, ThawKind kind, uint256 amountWei) private returns (uint256 id) {
        StoredPool storage thawing = _thawPool(node, kind);
        uint64 releaseAt = _thawEnd();
        id = thawId(node, kind, releaseAt);
        Pool memory pool = thawing.load();
        uint256 shares = pool.enter(amountWei);
        thawing.save(pool);
        Thaw storage thaw = _thaws[msg.sender][id];
        shares += pool.liveShares(thaw.shares, thaw.generation);
        _thaws[msg.sender][id] = Thaw(shares.toUint128(), uint32(pool.generation), true);
        emit ThawStarted(msg.sender, node, kind, id, amountWei, releaseAt);
    }

    function _releaseThaw(uint256 id) private returns (uint256 amountWei) {
        Thaw memory thaw = _thaws[msg.sender][id];
        if (!thaw.live) revert ThawUnknown(msg.sender, id);
        (address node, ThawKind kind, uint64 releaseAt) = _splitThawId(id);
        if (block.timestamp < releaseAt) revert ThawNotReleased(id, releaseAt);
        StoredPool storage thawing = _thawPool(node, kind);
        Pool memory pool = thawing.load();
        uint256 shares = pool.liveShares(thaw.shares, thaw.generation);
        uint256 heldShares = kind == ThawKind.Bond ? _frozenShares(id, releaseAt, pool, shares) : 0;
        if (heldShares == 0) delete _thaws[msg.sender][id];
        else _thaws[msg.sender][id].shares = heldShares.toUint128();
        uint256 dustWei;
        (amountWei, dustWei) = pool.exit(shares - heldShares);
        thawing.save(pool);
        _addToPool(dustWei);
        emit ThawReleased(msg.sender, node, id, amountWei);
    }

    /// @dev Of `shares` of an exit of the caller's bond, those that a freeze holds: what leaves lets bond and thawing bond not
    /// fall below what open disputes could take.
    function _frozenShares(uint256 id, uint64 releaseAt, Pool memory pool, uint256 shares)
        private
        view
        returns (uint256 heldShares)
    {
        (uint256 heldWei, uint64 until) = freezeOf(msg.sender);
        if (heldWei == 0) return 0;
        until = uint64(Math.min(until, uint256(releaseAt) + freezeSeconds));
        if (block.timestamp >= until) return 0;
        uint256 spareWei = Math.saturatingSub(_nodes[msg.sender].bondWei + pool.assetsWei, heldWei);
        if (pool.toAssets(shares) <= spareWei) return 0;
        heldShares = shares - pool.toShares(spareWei);
        if (heldShares == shares) revert ExitFrozen(id, until);
    }

    function _splitThawId(uint256 id) private pure returns (address node, ThawKind kind, uint64 releaseAt) {
        return (address(uint160(id >> 96)), ThawKind(uint32(id >> 64)), uint64(id));
    }

    function _thawPool(address node, ThawKind kind) private view returns (StoredPool storage) {
        return kind == ThawKind.Bond ? _nodes[node].thawingBond : _nodes[node].thawingVotes;
    }

    function _thawEnd() private view returns (uint64) {
        return (block.timestamp + thawSeconds).toUint64();
    }

    // ---- nodes, inside ----

    /// @dev A node changes its role only when nothing of the old one counts: no votes given to it, and no bond in an epoch that
    /// {activeBondAt} answers for, where a coordinator's bond would otherwise become a miner's, two orders larger than the
    /// others'. A node that has left, and so has no active bond now, is answered for in these two.
    function _takeRole(Role role) private {
        Node storage node = _nodes[msg.sender];
        Role previous = node.role;
        if (previous == role) return;
        uint64 epoch = currentEpoch();
        bool counts = activeBondAt(msg.sender, epoch - 1) | activeBondAt(msg.sender, epoch - 2) != 0;
        if (node.votes.shares != 0 || counts) revert RoleLocked(msg.sender, previous);
        node.role = role;
    }

    /// @dev Operators sign from hot keys, so they are externally owned accounts: ECDSA only, no ERC-1271 call.
    function _setOperator(address operator, uint64 deadline, bytes calldata signature) private {
        Node storage node = _nodes[msg.sender];
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

    function _setVoterShare(Open memory node, uint16 voterShareBps) private view returns (uint64 effectiveAt) {
        if (voterShareBps > BPS) revert VoterShareTooHigh(voterShareBps);
        if (voterShareBps >= node.voterShareBps) {
            (node.voterShareBps, node.nextVoterShareBps, node.nextVoterShareAt) = (voterShareBps, 0, 0);
            return block.timestamp.toUint64();
        }
        effectiveAt = _thawEnd();
        (node.nextVoterShareBps, node.nextVoterShareAt) = (voterShareBps, uint256(effectiveAt).toUint32());
    }

    function _announceProfile(Profile calldata profile) private returns (bytes12) {
        uint256 length = bytes(profile.name).length;
        if (length == 0 || length > MAX_NAME_BYTES) revert ProfileInvalid("name", length, MAX_NAME_BYTES);
        length = bytes(profile.url).length;
        if (length > MAX_URL_BYTES) revert ProfileInvalid("url", length, MAX_URL_BYTES);
        length = bytes(profile.description).length;
        if (length > MAX_DESCRIPTION_BYTES) revert ProfileInvalid("description", length, MAX_DESCRIPTION_BYTES);
        emit ProfileSet(msg.sender, profile.name, profile.url, profile.description);
        // The same bytes as abi.encode(profile), with the encoder that the event has already.
        bytes memory fields = abi.encode(profile.name, profile.url, profile.description);
        return bytes12(keccak256(bytes.concat(bytes32(uint256(32)), fields)));
    }

    /// @dev The last of the list takes the place of the one that leaves.
    function _unlist(Role role, uint256 place) private {
        mapping(uint256 place => Listing) storage listings = _listings[role];
        uint32 last = _roles[role].count--;
        if (place != last) {
            listings[place] = listings[last];
            _nodes[listings[place].node].place = uint32(place);
        }
        delete listings[last];
    }
}
