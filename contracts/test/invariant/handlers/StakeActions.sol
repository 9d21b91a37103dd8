// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking, ThawKind} from "../../../src/interfaces/IStaking.sol";
import {IStakingHooks} from "../../../src/interfaces/IStakingHooks.sol";
import {Role} from "../../../src/interfaces/Role.sol";
import {Pool, SharePool} from "../../../src/libraries/SharePool.sol";
import {vm} from "../../utils/Vm.sol";
import {World} from "./World.sol";

/// @notice Stake, bonds, votes, exits, registrations and keys. Calls are valid, so that a revert is a finding; what must be
/// refused is tried in calls of its own.
abstract contract StakeActions is World {
    using SharePool for Pool;

    // ---- money ----

    function stake(uint256 actorSeed, uint256 amountSeed) external {
        address actor = _actor(actorSeed);
        _stakeAs(actor, _bound(amountSeed, 1, actor.balance / 4 + 1));
    }

    function _stakeAs(address actor, uint256 amountWei) private step(actor, actor) {
        _stakeFor(actor, amountWei);
        ++done[msg.sig];
    }

    function withdrawFree(uint256 actorSeed, uint256 amountSeed) external {
        address actor = _actor(actorSeed);
        _withdrawFreeAs(actor, _bound(amountSeed, 0, staking.getAccount(actor).freeWei));
    }

    function _withdrawFreeAs(address actor, uint256 amountWei) private step(actor, actor) {
        vm.prank(actor);
        staking.withdraw(new uint256[](0), amountWei, payable(actor));
        ++done[msg.sig];
    }

    /// @dev One exit, ripe or not.
    function withdrawExit(uint256 actorSeed, uint256 pickSeed) external {
        address actor = _actor(actorSeed);
        if (exits[actor].length == 0) return;
        uint256 pick = pickSeed % exits[actor].length;
        _withdrawExitAs(actor, pick, exits[actor][pick].node);
    }

    function _withdrawExitAs(address actor, uint256 pick, address node) private step(actor, node) {
        if (exits[actor][pick].releaseAt > _now()) {
            bool early = _try(
                actor, address(staking), 0, _withdrawal(actor, exits[actor][pick].id), IStaking.ThawNotReleased.selector
            );
            _must(!early, "nothingLeavesBeforeItsTime: an exit");
        } else if (_withdrawRipe(actor, pick)) {
            ++done[msg.sig];
        }
    }

    function _withdrawal(address actor, uint256 id) private view returns (bytes memory) {
        return abi.encodeCall(staking.withdraw, (_list(id), MAX, payable(actor)));
    }

    /// @dev A ripe exit is refused or kept in part only while a freeze holds the bond.
    function _withdrawRipe(address actor, uint256 pick) internal returns (bool passed) {
        Exit memory picked = exits[actor][pick];
        (uint256 heldWei, uint64 until) = staking.freezeOf(actor);
        bool frozen =
            picked.kind == ThawKind.Bond && heldWei != 0 && _now() < picked.releaseAt + FREEZE && _now() < until;
        uint256 beforeWei = _atRisk(actor);
        bytes4 allowed = frozen ? IStaking.ExitFrozen.selector : bytes4(0);
        passed = _try(actor, address(staking), 0, _withdrawal(actor, picked.id), allowed);
        if (frozen) {
            uint256 leastWei = heldWei < beforeWei ? heldWei : beforeWei;
            _must(_atRisk(actor) >= leastWei, "aFreezeHoldsTheBond: what disputes could take has left");
        }
        if (!harness.thaw(actor, picked.id).live) {
            exits[actor][pick] = exits[actor][exits[actor].length - 1];
            exits[actor].pop();
        } else {
            _must(frozen, "everyExitCanBeWithdrawn: kept without a freeze");
        }
    }

    function _atRisk(address node) internal view returns (uint256) {
        (uint256 bondWei, uint256 thawingBondWei) = staking.bondOf(node);
        return bondWei + thawingBondWei;
    }

    // ---- bonds ----

    function bond(uint256 nodeSeed, uint256 amountSeed) external {
        address node = _node(nodeSeed);
        if (_isRegistered(node)) _bondAs(node, _bound(amountSeed, 1, 100_000 ether));
    }

    function _bondAs(address node, uint256 amountWei) private step(node, node) {
        _stakeFor(node, amountWei);
        vm.prank(node);
        staking.bond(amountWei);
        ++done[msg.sig];
    }

    /// @dev A coordinator asks for more than its lines leave, now and then, and must be refused.
    function unbond(uint256 nodeSeed, uint256 amountSeed) external {
        address node = _node(nodeSeed);
        (uint256 bondWei,) = staking.bondOf(node);
        if (bondWei == 0 || exits[node].length >= MOST_EXITS) return;
        // Mostly the node stays active.
        uint256 keptWei =
            staking.isActive(node) && amountSeed % 4 != 0 ? staking.threshold(staking.roleOf(node)) + 1 : 0;
        if (bondWei > keptWei) _unbondAs(node, _bound(amountSeed, 1, bondWei - keptWei));
    }

    function _unbondAs(address node, uint256 amountWei) internal step(node, node) {
        bytes memory call_ = abi.encodeCall(staking.unbond, (amountWei));
        if (!_try(node, address(staking), 0, call_, IStakingHooks.BondCommitted.selector)) return;
        _addExit(node, staking.thawId(node, ThawKind.Bond, _now() + THAW), node, ThawKind.Bond);
        _mustBeCovered(node);
        ++done[msg.sig];
    }

    // ---- votes ----

    function vote(uint256 actorSeed, uint256 nodeSeed, uint256 amountSeed) external {
        (address actor, address node) = (_actor(actorSeed), _node(nodeSeed));
        uint256 amountWei = _votable(actor, node, amountSeed);
        if (amountWei != 0) _voteAs(actor, node, amountWei);
    }

    function _voteAs(address actor, address node, uint256 amountWei)
        private
        step(actor, node)
        returns (uint256 shares)
    {
        _stakeFor(actor, amountWei);
        vm.prank(actor);
        shares = staking.vote(node, amountWei, 0);
        ++done[msg.sig];
    }

    function unvote(uint256 actorSeed, uint256 nodeSeed, uint256 sharesSeed) external {
        (address actor, address node) = (_actor(actorSeed), _node(nodeSeed));
        (uint256 held,) = staking.votesOf(actor, node);
        // Mostly of somebody who has voted.
        for (uint256 i = 1; i < ACTORS && held == 0; ++i) {
            actor = _actor(actorSeed % ACTORS + i);
            (held,) = staking.votesOf(actor, node);
        }
        if (held == 0 || exits[actor].length >= MOST_EXITS) return;
        uint256 shares = _bound(sharesSeed, 1, held);
        Pool memory votes = harness.pools(node)[0];
        votes.exit(shares);
        if (votes.toAssets(held - shares) < 1 ether || held - shares < 1e18) shares = held;
        _unvoteAs(actor, node, shares);
    }

    function _unvoteAs(address actor, address node, uint256 shares) internal step(actor, node) returns (uint256 id) {
        vm.prank(actor);
        id = staking.unvote(node, shares, 0);
        _addExit(actor, id, node, ThawKind.Votes);
        ++done[msg.sig];
    }

    /// @dev In and out at once, whatever is earned in between: not a wei more may come out.
    function enterThenExit(uint256 actorSeed, uint256 nodeSeed, uint256 amountSeed, bool funded) external {
        (address actor, address node) = (_actor(actorSeed), _node(nodeSeed));
        uint256 amountWei = _votable(actor, node, amountSeed);
        (uint256 held, uint256 heldWei) = staking.votesOf(actor, node);
        if (
            amountWei == 0 || exits[actor].length >= MOST_EXITS || (held != 0 && (heldWei < 1 ether + 1 || held < 1e18))
        ) return;
        uint256 freeWei = staking.getAccount(actor).freeWei;
        uint256 shares = _voteAs(actor, node, amountWei);
        uint256 paidWei = amountWei + freeWei - staking.getAccount(actor).freeWei;
        if (funded) {
            earnableWei += 1_000 ether;
            vm.deal(address(this), 1_000 ether);
            staking.fund{value: 1_000 ether}(staking.roleOf(node));
            staking.settle(node);
        }
        uint256 thawedWei = harness.pools(node)[1].assetsWei;
        _unvoteAs(actor, node, shares);
        thawedWei = harness.pools(node)[1].assetsWei - thawedWei;
        _must(thawedWei <= paidWei, "enterThenExitNeverProfits: profit");
    }

    function _votable(address actor, address node, uint256 seed) private view returns (uint256 amountWei) {
        if (!_isRegistered(node)) return 0;
        (uint256 bondWei,) = staking.bondOf(node);
        Pool memory votes = harness.pools(node)[0];
        if (16 * bondWei < votes.assetsWei + 1 ether) return 0;
        uint256 mostWei = 16 * bondWei - votes.assetsWei;
        if (mostWei > actor.balance / 2) mostWei = actor.balance / 2;
        if (mostWei < 1 ether) return 0;
        // Mostly amounts of a voter, sometimes the whole room there is.
        amountWei = seed % 8 == 0 ? mostWei : _bound(seed, 1 ether, mostWei > 100_000 ether ? 100_000 ether : mostWei);
        // Where much income went to few votes, 1 CAI is less than the least.
        if (votes.toShares(amountWei) < 1e18) return 0;
    }

    function _addExit(address account, uint256 id, address node, ThawKind kind) internal {
        for (uint256 i = 0; i < exits[account].length; ++i) {
            // Of one second: one exit.
            if (exits[account][i].id == id) return;
        }
        exits[account].push(Exit(id, node, kind, _now() + THAW));
    }

    // ---- nodes ----

    function register(uint256 nodeSeed, bool other, uint256 bondSeed, uint256 shareSeed) external {
        if (!_isRegistered(_node(nodeSeed))) _registerAgain(nodeSeed, other, bondSeed, shareSeed);
    }

    function _registerAgain(uint256 nodeSeed, bool other, uint256 bondSeed, uint256 shareSeed) private {
        address node = _node(nodeSeed);
        Role role = nodeSeed % NODES < MINERS ? Role.Miner : Role.Coordinator;
        Role last = harness.lastRole(node);
        if (other) role = role == Role.Miner ? Role.Coordinator : Role.Miner;
        uint64 epoch = staking.currentEpoch();
        bool locked = harness.pools(node)[0].shares != 0
            || staking.activeBondAt(node, epoch - 1) | staking.activeBondAt(node, epoch - 2) != 0;
        if (last != Role.None && last != role && locked) role = last;
        uint256 leastWei = staking.threshold(role) + 1;
        _registerAs(node, role, _bound(bondSeed, leastWei, 5 * leastWei), uint16(_bound(shareSeed, 0, 10_000)));
    }

    /// @dev What daemons and owners do by themselves: who is away comes back, who lost too much bonds again, who is gone returns.
    function recover(uint256 seed) external {
        _recover(seed);
        ++done[msg.sig];
    }

    function _recover(uint256 seed) internal override {
        for (uint256 i = 0; i < NODES; ++i) {
            uint256 own = _mix(seed, i);
            if (own % 4 == 0) continue;
            IStaking.NodeView memory found = staking.getNode(actors[i]);
            if (found.role == Role.None) _registerAgain(i, own % 64 == 1, own >> 8, own >> 16);
            else if (found.away && !found.suspended && _now() >= found.jailedUntil) _rejoinAs(actors[i], actors[i]);
            else if (found.bondWei <= staking.threshold(found.role)) _bondAs(actors[i], staking.threshold(found.role));
        }
    }

    function _registerAs(address node, Role role, uint256 bondWei, uint16 voterShareBps) internal step(node, node) {
        uint256 key = _nextOperator(node);
        bytes memory signature = _signRegistration(key, node, role);
        vm.prank(node);
        staking.register{value: bondWei}(role, vm.addr(key), voterShareBps, bondWei, _profile(), FOREVER, signature);
        ++done[StakeActions.register.selector];
    }

    function deregister(uint256 nodeSeed, uint256 chance) external {
        address node = _node(nodeSeed);
        // Seldom those whom the others pay and judge with.
        if (!_isRegistered(node) || exits[node].length >= MOST_EXITS || chance % 2 != 0) return;
        _deregisterAs(node);
    }

    function _deregisterAs(address node) internal step(node, node) {
        (uint256 bondWei,) = staking.bondOf(node);
        bytes memory call_ = abi.encodeCall(staking.deregister, ());
        if (!_try(node, address(staking), 0, call_, IStakingHooks.BondCommitted.selector)) return;
        if (bondWei != 0) _addExit(node, staking.thawId(node, ThawKind.Bond, _now() + THAW), node, ThawKind.Bond);
        _mustBeCovered(node);
        ++done[msg.sig];
    }

    function setOperator(uint256 nodeSeed) external {
        address node = _node(nodeSeed);
        if (_isRegistered(node) && keyCount[node] < 6) _setOperatorAs(node);
    }

    function _setOperatorAs(address node) private step(node, node) {
        _setOperator(node, _nextOperator(node));
        ++done[msg.sig];
    }

    /// @dev Takes a key that belongs to somebody, with a signature of that very key: must be refused.
    function takeOperator(uint256 nodeSeed, uint256 pickSeed) external counted {
        address node = _node(nodeSeed);
        Operator memory picked = operators[pickSeed % operators.length];
        if (!_isRegistered(node) || picked.owner == node) return;
        bytes memory signature = _signRegistration(picked.key, node, staking.roleOf(node));
        bytes memory call_ = abi.encodeCall(staking.setOperator, (picked.operator, FOREVER, signature));
        bool taken = _try(node, address(staking), 0, call_, IStaking.OperatorTaken.selector);
        _must(!taken, "anOperatorHasOneOwnerForEver: taken");
        ++done[msg.sig];
    }

    function setVoterShare(uint256 nodeSeed, uint256 shareSeed) external {
        address node = _node(nodeSeed);
        if (_isRegistered(node)) _setVoterShareAs(node, uint16(_bound(shareSeed, 0, 10_000)));
    }

    function _setVoterShareAs(address node, uint16 voterShareBps) private step(node, node) {
        vm.prank(node);
        staking.setVoterShare(voterShareBps);
        ++done[msg.sig];
    }

    /// @dev Goes away, or comes back as soon as it may.
    function restOrRejoin(uint256 nodeSeed, uint256 whoSeed) external {
        address node = _node(nodeSeed);
        IStaking.NodeView memory found = staking.getNode(node);
        if (found.role == Role.None) return;
        if (found.away && !found.suspended && _now() >= found.jailedUntil) _rejoinAs(node, _either(node, whoSeed));
        else if (!found.away && whoSeed % 4 == 0) _restAs(node, _either(node, whoSeed / 4));
    }

    function _rejoinAs(address node, address caller) private step(node, node) {
        vm.prank(caller);
        staking.rejoin(node);
        ++done[StakeActions.restOrRejoin.selector];
    }

    function _restAs(address node, address caller) private step(node, node) {
        vm.prank(caller);
        staking.rest(node);
    }
}
