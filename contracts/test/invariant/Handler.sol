// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking, Profile, Role, ThawKind} from "../../src/interfaces/IStaking.sol";
import {Pool, SharePool} from "../../src/libraries/SharePool.sol";
import {StakingHarness} from "../utils/StakingHarness.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Eight accounts that do everything that is allowed, in any order: each may be a node of either role and a voter of
/// all others. Calls are valid, so that a revert is a finding; what must revert is tried in calls of its own.
/// What a single step must keep is checked around that step and kept as a finding, which the invariants read.
contract Handler is TestBase {
    using SharePool for Pool;

    uint256 public constant ACTORS = 8;
    uint256 private constant MOST_THAWS = 6;
    uint256 private constant WEALTH = 1e9 ether;
    uint256 private constant MIN_VOTE = 1 ether;
    uint256 private constant MIN_SHARES = 1e18;

    struct LiveThaw {
        uint256 id;
        address node;
        ThawKind kind;
        uint256 releaseAt;
    }

    address[] public actors;

    /// @dev An operator key and the first owner that it had, which must stay the only one.
    struct Operator {
        address operator;
        address owner;
        uint256 key;
    }

    Operator[] private _operators;
    mapping(address owner => uint256) public operatorCount;
    mapping(address account => LiveThaw[]) private _live;
    mapping(bytes4 action => uint256) public done;

    uint256 public forcedWei;
    bool public immutable slashing;

    // Findings: amounts by which a step broke its rule, 0 while it holds.
    uint256 public touchedOthersWei;
    uint256 public priceFalls;
    uint256 public leftEarly;
    uint256 public profitWei;
    uint256 public operatorsTaken;
    uint256 public slashMismatchWei;
    uint256 public rewardMismatchWei;

    /// @dev Calls that settle: each may leave a wei of dust.
    uint256 public settlements;

    // The step under way.
    uint256[] private _before;
    Pool[3] private _poolsBefore;

    constructor(bool slashing_) {
        slashing = slashing_;
        setUp();
        for (uint256 i = 0; i < ACTORS; ++i) {
            address actor = vm.addr(uint256(keccak256(abi.encode("actor", i))));
            vm.deal(actor, WEALTH);
            actors.push(actor);
        }
    }

    function contractUnderTest() external view returns (StakingHarness) {
        return staking;
    }

    function allActors() external view returns (address[] memory) {
        return actors;
    }

    function allOperators() external view returns (Operator[] memory) {
        return _operators;
    }

    function liveThaws(address account) external view returns (LiveThaw[] memory) {
        return _live[account];
    }

    // ---- what each step must keep ----

    /// @dev A step of `actor` around `node`: what the others hold of the node's pools must not move by more than a wei, and
    /// no pool's share price may fall.
    modifier step(address actor, address node) {
        _remember(actor, node);
        _;
        _compare(actor, node);
        ++settlements;
        ++done[msg.sig];
    }

    function _remember(address actor, address node) private {
        Pool[3] memory pools = staking.pools(node);
        _before = _othersValues(actor, node, pools);
        for (uint256 i = 0; i < 3; ++i) {
            _poolsBefore[i] = pools[i];
        }
    }

    function _compare(address actor, address node) private {
        Pool[3] memory pools = staking.pools(node);
        uint256[] memory values = _othersValues(actor, node, pools);
        for (uint256 i = 0; i < values.length; ++i) {
            uint256 moved = values[i] > _before[i] ? values[i] - _before[i] : _before[i] - values[i];
            if (moved > 1 && moved > touchedOthersWei) touchedOthersWei = moved;
        }
        for (uint256 i = 0; i < 3; ++i) {
            if (_priceFell(_poolsBefore[i], pools[i])) ++priceFalls;
        }
    }

    /// @dev What everybody but `actor` has in the node's pools: votes, then each exit.
    function _othersValues(address actor, address node, Pool[3] memory pools)
        private
        view
        returns (uint256[] memory values)
    {
        values = new uint256[](ACTORS * (MOST_THAWS + 1));
        (, uint256[] memory votes) = staking.votesOfAll(actors, node);
        uint256 count = 0;
        for (uint256 i = 0; i < ACTORS; ++i) {
            if (actors[i] == actor) continue;
            values[count++] = votes[i];
            LiveThaw[] memory live = _live[actors[i]];
            for (uint256 k = 0; k < live.length; ++k) {
                if (live[k].node == node) values[count++] = _worth(actors[i], live[k], pools);
            }
        }
    }

    function _worth(address account, LiveThaw memory live, Pool[3] memory pools) private view returns (uint256) {
        StakingHarness.Thaw memory thaw = staking.thaw(account, live.id);
        Pool memory pool = live.kind == ThawKind.Votes ? pools[1] : pools[2];
        return pool.toAssets(pool.liveShares(thaw.shares, thaw.generation));
    }

    /// @dev An empty pool has no price: the next to enter sets it.
    function _priceFell(Pool memory before, Pool memory now_) private pure returns (bool) {
        uint256 left = (uint256(now_.assetsWei) + 1) * (before.shares + VIRTUAL_SHARES);
        uint256 right = (uint256(before.assetsWei) + 1) * (now_.shares + VIRTUAL_SHARES);
        return now_.shares != 0 && left < right;
    }

    // ---- money ----

    function stake(uint256 actorSeed, uint256 amountSeed) external {
        address actor = _actor(actorSeed);
        if (actor.balance == 0) return;
        _stakeAs(actor, _bound(amountSeed, 1, actor.balance / 4 + 1));
    }

    function _stakeAs(address actor, uint256 amount) private step(actor, actor) {
        _stake(actor, amount);
    }

    function withdrawFree(uint256 actorSeed, uint256 amountSeed) external {
        address actor = _actor(actorSeed);
        uint256 amount = _bound(amountSeed, 0, _free(actor));
        _withdrawAs(actor, _ids(), amount, actor);
    }

    /// @dev All that is ripe of one account, in an order that the seed picks, each as a step of its own.
    function withdrawThaws(uint256 actorSeed, uint256 orderSeed, bool pay) external {
        address actor = _actor(actorSeed);
        uint256[] memory ids = _ripe(actor, orderSeed);
        for (uint256 i = 0; i < ids.length; ++i) {
            _withdrawAs(actor, _ids(ids[i]), pay ? MAX : 0, _live[actor][_indexOf(actor, ids[i])].node);
        }
    }

    function _withdrawAs(address actor, uint256[] memory ids, uint256 freeWei, address node) private step(actor, node) {
        vm.prank(actor);
        staking.withdraw(ids, freeWei, payable(actor));
        for (uint256 i = 0; i < ids.length; ++i) {
            uint256 index = _indexOf(actor, ids[i]);
            if (_live[actor][index].releaseAt > block.timestamp) ++leftEarly;
            _forget(actor, index);
        }
    }

    /// @dev An exit whose time has not come must be refused.
    function withdrawTooEarly(uint256 actorSeed, uint256 pickSeed) external {
        address actor = _actor(actorSeed);
        LiveThaw[] storage live = _live[actor];
        if (live.length == 0) return;
        LiveThaw storage thaw = live[pickSeed % live.length];
        if (thaw.releaseAt <= block.timestamp) return;
        vm.prank(actor);
        try staking.withdraw(_ids(thaw.id), MAX, payable(actor)) {
            ++leftEarly;
        } catch {
            ++done[msg.sig];
        }
    }

    function bond(uint256 actorSeed, uint256 amountSeed) external {
        address actor = _nodeActor(actorSeed);
        uint256 free = _free(actor);
        if (!_isRegistered(actor) || free == 0) return;
        _bondAs(actor, _bound(amountSeed, 1, free));
    }

    function _bondAs(address actor, uint256 amount) private step(actor, actor) {
        vm.prank(actor);
        staking.bond(amount);
    }

    function unbond(uint256 actorSeed, uint256 amountSeed) external {
        address actor = _nodeActor(actorSeed);
        uint256 bondWei = staking.getNode(actor).bondWei;
        if (bondWei == 0 || _live[actor].length >= MOST_THAWS) return;
        // Half of the time the node stays active, so that votes stand over the limit of what bond is left.
        uint256 spare = staking.isActive(actor) ? bondWei - staking.threshold(staking.lastRole(actor)) - 1 : 0;
        _unbondAs(actor, _bound(amountSeed, 1, amountSeed % 2 == 0 && spare != 0 ? spare : bondWei));
    }

    function _unbondAs(address actor, uint256 amount) private step(actor, actor) {
        vm.prank(actor);
        _began(actor, staking.unbond(amount), actor, ThawKind.Bond);
    }

    function vote(uint256 actorSeed, uint256 nodeSeed, uint256 amountSeed) external {
        address actor = _actor(actorSeed);
        address node = _nodeActor(nodeSeed);
        uint256 amount = _votable(actor, node, amountSeed);
        if (amount != 0) _voteAs(actor, node, amount);
    }

    function _voteAs(address actor, address node, uint256 amount) private step(actor, node) returns (uint256 shares) {
        _stake(actor, amount);
        vm.prank(actor);
        return staking.vote(node, amount, 0);
    }

    function unvote(uint256 actorSeed, uint256 nodeSeed, uint256 sharesSeed) external {
        address actor = _actor(actorSeed);
        address node = _nodeActor(nodeSeed);
        uint256 held = _sharesOf(actor, node);
        if (held == 0 || _live[actor].length >= MOST_THAWS) return;
        uint256 shares = _bound(sharesSeed, 1, held);
        Pool memory pool = staking.pools(node)[0];
        pool.exit(shares);
        if (held - shares < MIN_SHARES || pool.toAssets(held - shares) < MIN_VOTE) shares = held;
        _unvoteAs(actor, node, shares);
    }

    function _unvoteAs(address actor, address node, uint256 shares) private step(actor, node) returns (uint256 id) {
        id = _unvote(actor, node, shares);
        _began(actor, id, node, ThawKind.Votes);
    }

    /// @dev In and out at once: not a wei more may come out.
    function enterThenExit(uint256 actorSeed, uint256 nodeSeed, uint256 amountSeed) external {
        address actor = _actor(actorSeed);
        address node = _nodeActor(nodeSeed);
        uint256 amount = _votable(actor, node, amountSeed);
        if (amount == 0 || _live[actor].length >= MOST_THAWS) return;
        uint256 held = _votesOf(actor, node);
        if (held != 0 && held < MIN_VOTE + 1) return;
        uint256 under = _thawing(actor, _votesThaw(node));
        uint256 free = _free(actor);
        uint256 shares = _voteAs(actor, node, amount);
        uint256 paid = amount + free - _free(actor);
        uint256 id = _unvoteAs(actor, node, shares);
        uint256 back = _thawing(actor, id) - under;
        if (back > paid && back - paid > profitWei) profitWei = back - paid;
        ++done[msg.sig];
    }

    // ---- nodes ----

    function register(uint256 actorSeed, bool coordinate, uint256 bondSeed, uint256 shareSeed) external {
        address actor = _nodeActor(actorSeed);
        if (_isRegistered(actor)) return;
        Role role = coordinate ? Role.Coordinator : Role.Miner;
        Role last = staking.lastRole(actor);
        uint64 epoch = staking.currentEpoch();
        bool locked = staking.votesPool(actor).shares != 0 || staking.activeBondAt(actor, epoch - 1) != 0
            || staking.activeBondAt(actor, epoch - 2) != 0;
        if (last != Role.None && last != role && locked) role = last;
        uint256 least = staking.threshold(role) + 1;
        if (actor.balance < 2 * least) return;
        _registerAs(actor, role, _bound(bondSeed, least, 2 * least), uint16(_bound(shareSeed, 0, 10_000)));
    }

    function _registerAs(address actor, Role role, uint256 bondWei, uint16 voterShareBps) private step(actor, actor) {
        uint256 key = _nextOperator(actor);
        bytes memory signature = _signRegistration(key, actor, role, FOREVER);
        vm.prank(actor);
        staking.register{value: bondWei}(role, vm.addr(key), voterShareBps, bondWei, _profile(), FOREVER, signature);
    }

    function deregister(uint256 actorSeed) external {
        address actor = _nodeActor(actorSeed);
        if (!_isRegistered(actor) || _live[actor].length >= MOST_THAWS) return;
        _deregisterAs(actor);
    }

    function _deregisterAs(address actor) private step(actor, actor) {
        bool bonded = staking.getNode(actor).bondWei != 0;
        vm.prank(actor);
        staking.deregister();
        if (bonded) _began(actor, _bondThaw(actor), actor, ThawKind.Bond);
    }

    function setOperator(uint256 actorSeed) external {
        address actor = _nodeActor(actorSeed);
        if (!_isRegistered(actor) || operatorCount[actor] > 5) return;
        _setOperatorAs(actor);
    }

    function _setOperatorAs(address actor) private step(actor, actor) {
        _setOperator(actor, _nextOperator(actor));
    }

    /// @dev Takes a key that belongs to somebody, with a signature of that very key: must be refused.
    function takeOperator(uint256 actorSeed, uint256 pickSeed) external {
        address actor = _nodeActor(actorSeed);
        if (!_isRegistered(actor) || _operators.length == 0) return;
        Operator memory picked = _operators[pickSeed % _operators.length];
        if (picked.owner == actor) return;
        bytes memory signature = _signRegistration(picked.key, actor, staking.getNode(actor).role, FOREVER);
        vm.prank(actor);
        try staking.setOperator(picked.operator, FOREVER, signature) {
            ++operatorsTaken;
        } catch {
            ++done[msg.sig];
        }
    }

    function setVoterShare(uint256 actorSeed, uint256 shareSeed) external {
        address actor = _nodeActor(actorSeed);
        if (!_isRegistered(actor)) return;
        _setVoterShareAs(actor, uint16(_bound(shareSeed, 0, 10_000)));
    }

    function _setVoterShareAs(address actor, uint16 voterShareBps) private step(actor, actor) {
        vm.prank(actor);
        staking.setVoterShare(voterShareBps);
    }

    // ---- the world ----

    function warp(uint256 elapsedSeed) external {
        // Mostly within an epoch or two, sometimes past a thaw.
        _skip(elapsedSeed % 8 == 0 ? _bound(elapsedSeed, 1, 2 * THAW) : _bound(elapsedSeed, 1, 2 * EPOCH));
        ++done[msg.sig];
    }

    function forceValue(uint256 amountSeed) external {
        uint256 amount = _bound(amountSeed, 1, 100 ether);
        forcedWei += amount;
        vm.deal(address(staking), address(staking).balance + amount);
        ++done[msg.sig];
    }

    /// @dev Small slashes mostly, total ones sometimes; the court's part leaves the contract.
    function slash(uint256 nodeSeed, uint256 bondSeed, uint256 cutSeed) external {
        if (!slashing) return;
        address node = _nodeActor(nodeSeed);
        (uint256 bondWei, uint256 thawingWei) = staking.bondOf(node);
        uint256 askedWei = (bondWei + thawingWei) * _slashWad(bondSeed) / 1 ether;
        uint256 before = _pooledWei(node);
        uint256 undistributed = staking.undistributedWei();
        uint256 held = address(staking).balance;
        vm.prank(court);
        (uint256 takenWei, uint256 paidWei) =
            staking.slash(node, askedWei, askedWei / 3, uint16(_bound(cutSeed, 0, 2_500)), 1);
        uint256 lostWei = before - _pooledWei(node);
        uint256 grown = staking.undistributedWei() - undistributed;
        bool exact = lostWei == grown + paidWei && held - address(staking).balance == paidWei;
        if (!exact || takenWei < askedWei || lostWei < takenWei) ++slashMismatchWei;
        ++settlements;
        ++done[msg.sig];
    }

    /// @dev What hundreds of slashes leave of the votes.
    function lowerVotes(uint256 nodeSeed, uint256 votesSeed) external {
        if (!slashing) return;
        staking.lowerVotes(_nodeActor(nodeSeed), _slashWad(votesSeed));
        ++settlements;
        ++done[msg.sig];
    }

    function _slashWad(uint256 seed) private pure returns (uint256) {
        if (seed % 16 == 0) return 1 ether;
        return _bound(seed, 0, seed % 4 == 0 ? 0.99 ether : 0.05 ether);
    }

    // ---- standing ----

    function rest(uint256 actorSeed) external {
        address actor = _nodeActor(actorSeed);
        if (_isRegistered(actor)) _restAs(actor);
    }

    function _restAs(address actor) private step(actor, actor) {
        vm.prank(actor);
        staking.rest(actor);
    }

    function rejoin(uint256 actorSeed) external {
        address actor = _nodeActor(actorSeed);
        IStaking.NodeView memory node = staking.getNode(actor);
        if (node.role != Role.None && !node.suspended && node.jailedUntil <= block.timestamp) _rejoinAs(actor);
    }

    function _rejoinAs(address actor) private step(actor, actor) {
        vm.prank(actor);
        staking.rejoin(actor);
    }

    function jail(uint256 actorSeed, uint256 untilSeed) external {
        address actor = _nodeActor(actorSeed);
        _jail(actor, uint64(block.timestamp + _bound(untilSeed, 0, 2 * EPOCH)));
        ++settlements;
        ++done[msg.sig];
    }

    function suspend(uint256 actorSeed) external {
        _suspend(_nodeActor(actorSeed), true);
    }

    function resume(uint256 actorSeed) external {
        _suspend(_nodeActor(actorSeed), false);
    }

    function _suspend(address actor, bool on) private step(actor, actor) {
        vm.prank(epochs);
        on ? staking.suspend(actor) : staking.resume(actor);
    }

    // ---- rewards ----

    function fund(uint256 amountSeed, bool coordinators) external {
        _fundStream(coordinators ? Role.Coordinator : Role.Miner, _bound(amountSeed, 1, 10_000 ether));
        ++settlements;
        ++done[msg.sig];
    }

    function pour() external {
        staking.pour();
        settlements += 2;
        ++done[msg.sig];
    }

    /// @dev What comes in is the owner's, or waits for its voters.
    function income(uint256 nodeSeed, uint256 amountSeed) external {
        address node = _nodeActor(nodeSeed);
        uint256 amount = _bound(amountSeed, 0, 1_000 ether);
        uint256 before = _earnings(node);
        _income(node, amount);
        if (_earnings(node) - before != amount) ++rewardMismatchWei;
        ++done[msg.sig];
    }

    function _earnings(address node) private view returns (uint256) {
        (uint256 waitingWei,) = staking.dripOf(node);
        return staking.rewardsOf(node) + waitingWei + _pooledWei(node);
    }

    function settle(uint256 actorSeed, uint256 nodeSeed) external {
        _settleAs(_actor(actorSeed), _nodeActor(nodeSeed));
    }

    /// @dev It pays nobody anything that was not theirs before.
    function _settleAs(address actor, address node) private step(actor, node) {
        uint256 before = _earnings(node);
        vm.prank(actor);
        staking.settle(node);
        if (_earnings(node) != before) ++rewardMismatchWei;
    }

    function claim(uint256 actorSeed) external {
        _claimAs(_nodeActor(actorSeed));
    }

    function _claimAs(address actor) private step(actor, actor) {
        uint256 free = _free(actor);
        uint256 rewards = staking.rewardsOf(actor);
        vm.prank(actor);
        uint256 claimed = staking.claim(actor);
        if (claimed != rewards || _free(actor) - free != rewards) ++rewardMismatchWei;
    }

    // ---- the end ----

    /// @notice Everybody leaves, in an order that the seed picks, and takes all. Reverts when somebody cannot.
    function everybodyLeaves(uint256 seed) external {
        for (uint256 i = 0; i < ACTORS; ++i) {
            address actor = actors[(i + seed % ACTORS) % ACTORS];
            for (uint256 k = 0; k < ACTORS; ++k) {
                address node = actors[(k + (seed >> 8)) % ACTORS];
                if (_sharesOf(actor, node) == 0) continue;
                _began(actor, _unvoteAll(actor, node), node, ThawKind.Votes);
            }
            if (!_isRegistered(actor)) continue;
            _deregisterAs(actor);
        }
        _skip(THAW);
        for (uint256 i = 0; i < ACTORS; ++i) {
            address actor = actors[(i + (seed >> 16)) % ACTORS];
            uint256[] memory ids = _ripe(actor, seed >> 24);
            // Task income of voters who have all gone has dripped to the owner by now.
            vm.prank(actor);
            staking.claim(actor);
            // Half of them one by one, so that the accounts take turns at every pool.
            for (uint256 k = 0; k < ids.length / 2; ++k) {
                vm.prank(actor);
                staking.withdraw(_ids(ids[k]), 0, payable(actor));
                _forget(actor, _indexOf(actor, ids[k]));
            }
        }
        for (uint256 i = 0; i < ACTORS; ++i) {
            vm.prank(actors[i]);
            staking.withdraw(_ripe(actors[i], seed >> 32), MAX, payable(actors[i]));
        }
    }

    // ---- helpers ----

    function _actor(uint256 seed) private view returns (address) {
        return actors[seed % ACTORS];
    }

    /// @dev Half of the accounts are nodes, so that votes and slashes meet at the same pools.
    function _nodeActor(uint256 seed) private view returns (address) {
        return actors[seed % (ACTORS / 2)];
    }

    function _isRegistered(address account) private view returns (bool) {
        return staking.getNode(account).role != Role.None;
    }

    function _votable(address actor, address node, uint256 seed) private view returns (uint256) {
        if (!_isRegistered(node)) return 0;
        uint256 limit = 16 * staking.getNode(node).bondWei;
        Pool memory votes = staking.pools(node)[0];
        if (limit < votes.assetsWei + MIN_VOTE || actor.balance < MIN_VOTE) return 0;
        uint256 most = limit - votes.assetsWei;
        if (most > actor.balance) most = actor.balance;
        // Mostly amounts of a voter, sometimes the whole room there is.
        uint256 amount = seed % 8 == 0 ? most : _bound(seed, MIN_VOTE, most > 10_000 ether ? 10_000 ether : most);
        // Where much income went to few votes, the least amount does not buy the least number of shares.
        return votes.toShares(amount) < MIN_SHARES ? 0 : amount;
    }

    function _nextOperator(address owner) private returns (uint256 key) {
        key = _operatorKey(owner, operatorCount[owner]++);
        _operators.push(Operator(vm.addr(key), owner, key));
    }

    function _pooledWei(address node) private view returns (uint256) {
        Pool[3] memory pools = staking.pools(node);
        return staking.getNode(node).bondWei + pools[0].assetsWei + pools[1].assetsWei + pools[2].assetsWei;
    }

    function _ripe(address actor, uint256 orderSeed) private view returns (uint256[] memory ids) {
        LiveThaw[] storage live = _live[actor];
        ids = new uint256[](live.length);
        uint256 count = 0;
        for (uint256 i = 0; i < live.length; ++i) {
            LiveThaw storage thaw = live[(i + orderSeed % live.length) % live.length];
            if (thaw.releaseAt <= block.timestamp) ids[count++] = thaw.id;
        }
        assembly ("memory-safe") {
            mstore(ids, count)
        }
    }

    function _indexOf(address actor, uint256 id) private view returns (uint256 index) {
        while (_live[actor][index].id != id) ++index;
    }

    /// @dev Exits of one account, node, kind and second are one.
    function _began(address actor, uint256 id, address node, ThawKind kind) private {
        LiveThaw[] storage live = _live[actor];
        for (uint256 i = 0; i < live.length; ++i) {
            if (live[i].id == id) return;
        }
        live.push(LiveThaw(id, node, kind, block.timestamp + THAW));
    }

    function _thawing(address actor, uint256 id) private view returns (uint256) {
        IStaking.ThawView[] memory thaws = staking.getThaws(actor, _ids(id));
        return thaws.length == 0 ? 0 : thaws[0].amountWei;
    }

    function _forget(address actor, uint256 index) private {
        LiveThaw[] storage live = _live[actor];
        live[index] = live[live.length - 1];
        live.pop();
    }
}
