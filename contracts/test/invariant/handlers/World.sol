// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Staking} from "../../../src/Staking.sol";
import {IStaking, StakingParameters, ThawKind} from "../../../src/interfaces/IStaking.sol";
import {IPayments} from "../../../src/interfaces/IPayments.sol";
import {IStakingHooks} from "../../../src/interfaces/IStakingHooks.sol";
import {IRewards} from "../../../src/interfaces/IRewards.sol";
import {Role} from "../../../src/interfaces/Role.sol";
import {Pool, SharePool} from "../../../src/libraries/SharePool.sol";
import {Network} from "../../utils/Network.sol";
import {StakingHarness} from "../../utils/StakingHarness.sol";
import {Vm, vm} from "../../utils/Vm.sol";

/// @notice The network and the ten accounts that live in it: five own miners, two own coordinators, three only vote, challenge
/// and pay. What one step must keep is checked around that step; what broke is kept as a message that begins with the name
/// of the invariant.
abstract contract World is Network {
    using SharePool for Pool;

    uint256 internal constant ACTORS = 10;
    uint256 internal constant NODES = 7;
    uint256 internal constant MINERS = 5;
    uint256 internal constant MOST_EXITS = 5;
    uint256 internal constant MAX = type(uint256).max;
    uint256 private constant WEALTH = 1e9 ether;
    /// @dev Settlements in one step at most, each of which may lose a wei to rounding: three juries of seven that are fined.
    uint256 private constant MOST_SETTLEMENTS = 32;

    /// @dev An exit that was begun and is not withdrawn.
    struct Exit {
        uint256 id;
        address node;
        ThawKind kind;
        uint64 releaseAt;
    }

    /// @dev An operator key and the first owner that it had, which must stay the only one.
    struct Operator {
        address operator;
        address owner;
        uint256 key;
    }

    StakingHarness internal harness;
    address[] internal actors;
    mapping(address account => Exit[]) internal exits;
    Operator[] internal operators;
    mapping(address owner => uint256) internal keyCount;

    /// @dev How often each action did what it is for.
    mapping(bytes4 action => uint256) public done;
    /// @dev How often disputes came to each of their stages.
    mapping(string stage => uint256) public reached;
    uint256 public steps;
    string[] private _findings;
    mapping(bytes32 rule => bool) private _isFound;

    /// @dev Value that was forced into each contract.
    mapping(address contract_ => uint256) public forcedWei;
    mapping(address node => bool) public slashedEver;
    /// @dev Everything that ever came in to be earned: by streams, by the pool, by vouchers.
    uint256 public earnableWei;
    uint256 public claimedWei;

    // The step under way.
    uint256[] private _valuesBefore;
    Pool[3] private _poolsBefore;

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < ACTORS; ++i) {
            address actor = vm.addr(uint256(keccak256(abi.encode("actor", i))));
            vm.deal(actor, WEALTH);
            actors.push(actor);
        }
    }

    function _createStaking(StakingParameters memory parameters) internal override returns (Staking) {
        harness = new StakingHarness(parameters);
        return harness;
    }

    function _recover(uint256 seed) internal virtual;

    // ---- what the invariants read ----

    function allActors() external view returns (address[] memory) {
        return actors;
    }

    function allOperators() external view returns (Operator[] memory) {
        return operators;
    }

    function exitsOf(address account) external view returns (Exit[] memory) {
        return exits[account];
    }

    function findings() external view returns (string[] memory) {
        return _findings;
    }

    /// @dev Rounding dust that there may be by now, over all settlements and one more of each node.
    function mostDustWei() external view returns (uint256) {
        return (steps + 1) * MOST_SETTLEMENTS;
    }

    // ---- findings ----

    /// @param rule `invariant: what`, without a semicolon
    function _must(bool holds, string memory rule) internal {
        if (holds || _isFound[keccak256(bytes(rule))]) return;
        _isFound[keccak256(bytes(rule))] = true;
        _findings.push(rule);
    }

    /// @dev After what must leave a coordinator's lines covered, slashed or not.
    function _mustBeCovered(address coordinator) internal {
        IPayments.CoordinatorView memory books = payments.getCoordinator(coordinator);
        (uint256 bondWei,) = staking.bondOf(coordinator);
        bool covered = books.openWei <= books.escrowWei - books.thawingWei || books.requiredBondWei <= bondWei;
        _must(covered, "linesAreCoveredWhileNobodyWasSlashed: after a request");
    }

    // ---- around one step ----

    modifier counted() {
        ++steps;
        _;
    }

    /// @dev A step of `actor` around `node`: what the others have of the node must not move by more than a wei, and no pool's
    /// share price may fall.
    modifier step(address actor, address node) {
        ++steps;
        _remember(actor, node);
        _;
        _compare(actor, node, false);
    }

    /// @dev A step that may give the others something, but takes nothing.
    modifier giving(address node) {
        ++steps;
        _remember(address(0), node);
        _;
        _compare(address(0), node, true);
    }

    function _remember(address actor, address node) private {
        Pool[3] memory pools = harness.pools(node);
        _valuesBefore = _valuesOfOthers(actor, node, pools);
        for (uint256 i = 0; i < 3; ++i) {
            _poolsBefore[i] = pools[i];
        }
    }

    function _compare(address actor, address node, bool mayRise) private {
        Pool[3] memory pools = harness.pools(node);
        uint256[] memory values = _valuesOfOthers(actor, node, pools);
        for (uint256 i = 0; i < values.length; ++i) {
            bool kept = values[i] + 1 >= _valuesBefore[i] && (mayRise || values[i] <= _valuesBefore[i] + 1);
            _must(kept, "oneDoesNotTouchAnothersStake: touched");
        }
        for (uint256 i = 0; i < 3; ++i) {
            _must(!_priceFell(_poolsBefore[i], pools[i]), "sharePriceFallsOnlyBySlash: falls");
        }
    }

    /// @dev What everybody but `actor` has of the node: votes, exits, the owner's rewards.
    function _valuesOfOthers(address actor, address node, Pool[3] memory pools)
        private
        view
        returns (uint256[] memory values)
    {
        values = new uint256[](ACTORS * (MOST_EXITS + NODES + 2) + 1);
        (, uint256[] memory votes) = harness.votesOfAll(actors, node);
        uint256 count = 0;
        for (uint256 i = 0; i < ACTORS; ++i) {
            address other = actors[i];
            if (other == actor) continue;
            values[count++] = votes[i];
            Exit[] storage live = exits[other];
            for (uint256 k = 0; k < live.length; ++k) {
                if (live[k].node != node) continue;
                values[count++] = _worth(other, live[k].id, pools[live[k].kind == ThawKind.Votes ? 1 : 2]);
            }
        }
        if (node != actor) values[count++] = staking.rewardsOf(node);
    }

    function _worth(address account, uint256 id, Pool memory pool) private view returns (uint256) {
        StakingHarness.Thaw memory thaw = harness.thaw(account, id);
        return pool.toAssets(pool.liveShares(thaw.shares, thaw.generation));
    }

    /// @dev An empty pool has no price: the next to enter sets it.
    function _priceFell(Pool memory before, Pool memory now_) private pure returns (bool) {
        uint256 left = (now_.assetsWei + 1) * (before.shares + SharePool.VIRTUAL_SHARES);
        uint256 right = (before.assetsWei + 1) * (now_.shares + SharePool.VIRTUAL_SHARES);
        return now_.shares != 0 && (left < right || now_.generation != before.generation);
    }

    // ---- around a slash ----

    struct Taken {
        uint256 count;
        uint256 bondWei;
        uint256 thawingBondWei;
        uint256 votesWei;
        uint256 paidWei;
        uint256 pooledWei;
    }

    struct Standing {
        uint256 bondWei;
        Pool[3] pools;
        uint256 undistributedWei;
        uint256 balanceWei;
        // Without what has dripped and no settlement has brought into the pool yet: a slash spares that.
        uint256 storedVotesWei;
    }

    function _standing(address node) internal view returns (Standing memory standing) {
        (standing.bondWei,) = staking.bondOf(node);
        standing.pools = harness.pools(node);
        standing.undistributedWei = staking.undistributedWei();
        standing.balanceWei = address(staking).balance;
        standing.storedVotesWei = harness.votesPool(node).assetsWei;
    }

    /// @dev After a call that may have slashed `node`, with the logs recorded since `before`.
    /// @return takenWei of bond and thawing bond
    function _compareSlash(address node, Standing memory before) internal returns (uint256 takenWei) {
        Taken memory taken = _readSlash(node);
        Standing memory after_ = _standing(node);
        takenWei = taken.bondWei + taken.thawingBondWei;
        if (taken.count != 0) slashedEver[node] = true;

        string memory rule = "aSlashTakesWhatItSays: ";
        _must(taken.count <= 1, string.concat(rule, "slashed twice"));
        _must(before.bondWei - after_.bondWei == taken.bondWei, string.concat(rule, "bond"));
        _must(
            before.pools[2].assetsWei - after_.pools[2].assetsWei == taken.thawingBondWei,
            string.concat(rule, "thawing bond")
        );
        uint256 votesBeforeWei = before.pools[0].assetsWei + before.pools[1].assetsWei;
        uint256 votesLeftWei = after_.pools[0].assetsWei + after_.pools[1].assetsWei + taken.votesWei;
        _must(votesLeftWei == votesBeforeWei, string.concat(rule, "votes"));
        _must(
            before.undistributedWei + takenWei + taken.votesWei + taken.pooledWei
                == after_.undistributedWei + taken.paidWei,
            string.concat(rule, "pool")
        );
        _must(
            before.balanceWei + taken.pooledWei == address(staking).balance + taken.paidWei,
            string.concat(rule, "balance")
        );
        if (taken.count == 1) _compareRatios(before, after_, taken);
    }

    /// @dev Active and thawing in one ratio, votes at most a tenth of it and 2 %; but all of a pool at the price floor.
    function _compareRatios(Standing memory before, Standing memory after_, Taken memory taken) private {
        string memory rule = "aSlashTakesInOneRatio: ";
        uint256 allWei = before.bondWei + before.pools[2].assetsWei;
        uint256 takenWei = taken.bondWei + taken.thawingBondWei;
        bool[3] memory emptied;
        for (uint256 i = 0; i < 3; ++i) {
            emptied[i] = after_.pools[i].generation != before.pools[i].generation;
        }
        if (!emptied[2]) {
            _must(
                taken.thawingBondWei == before.pools[2].assetsWei * takenWei / allWei,
                string.concat(rule, "thawing bond")
            );
        }
        if (emptied[0] || emptied[1]) return;
        uint256 votesWad = takenWei * 0.1e18 / allWei;
        if (votesWad > 0.02e18) votesWad = 0.02e18;
        for (uint256 i = 0; i < 2; ++i) {
            // A queue at the floor gave more than was asked for, which votes do not follow.
            uint256 wholeWei = before.pools[i].assetsWei;
            uint256 leastWei = emptied[2] ? 0 : (i == 0 ? before.storedVotesWei : wholeWei) * votesWad / 1e18;
            uint256 lostWei = wholeWei - after_.pools[i].assetsWei;
            _must(lostWei >= leastWei && lostWei <= wholeWei * votesWad / 1e18, string.concat(rule, "votes"));
        }
    }

    function _readSlash(address node) private returns (Taken memory taken) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter != address(staking)) continue;
            if (logs[i].topics[0] == IRewards.PoolFunded.selector) {
                taken.pooledWei += abi.decode(logs[i].data, (uint256));
            }
            if (logs[i].topics[0] != IStakingHooks.Slashed.selector) continue;
            _must(address(uint160(uint256(logs[i].topics[1]))) == node, "aSlashTakesWhatItSays: another node");
            ++taken.count;
            (taken.bondWei, taken.thawingBondWei, taken.votesWei, taken.paidWei) =
                abi.decode(logs[i].data, (uint256, uint256, uint256, uint256));
        }
    }

    // ---- who and how much ----

    function _actor(uint256 seed) internal view returns (address) {
        return actors[seed % ACTORS];
    }

    function _node(uint256 seed) internal view returns (address) {
        return actors[seed % NODES];
    }

    function _minerOf(uint256 seed) internal view returns (address) {
        return actors[seed % MINERS];
    }

    function _coordinatorOf(uint256 seed) internal view returns (address) {
        return actors[MINERS + seed % (NODES - MINERS)];
    }

    function _isRegistered(address node) internal view returns (bool) {
        return staking.roleOf(node) != Role.None;
    }

    function _nextOperator(address owner) internal returns (uint256 key) {
        key = _operatorKey(owner, keyCount[owner]++);
        operators.push(Operator(vm.addr(key), owner, key));
    }

    /// @dev The key that counts for the node now, or counted last.
    function _currentKey(address owner) internal view returns (uint256) {
        return _operatorKey(owner, keyCount[owner] - 1);
    }

    /// @dev Who acts for a node: now the owner, now its operator.
    function _either(address node, uint256 seed) internal view returns (address) {
        address operator = staking.getNode(node).operator;
        return seed % 2 == 0 || operator == address(0) ? node : operator;
    }

    function _now() internal view returns (uint64) {
        return uint64(vm.getBlockTimestamp());
    }

    /// @dev `value` brought into [low, high].
    function _bound(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        return value >= low && value <= high ? value : low + value % (high - low + 1);
    }

    function _mix(uint256 seed, uint256 salt) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, salt)));
    }

    /// @dev A call that may be refused for one reason; for any other the step is a finding.
    function _try(address from, address target, uint256 valueWei, bytes memory call_, bytes4 allowed)
        internal
        returns (bool passed)
    {
        bytes memory data;
        vm.prank(from);
        (passed, data) = target.call{value: valueWei}(call_);
        if (passed || bytes4(data) == allowed) return passed;
        assembly ("memory-safe") {
            revert(add(data, 32), mload(data))
        }
    }

    function _stakeFor(address account, uint256 amountWei) internal {
        vm.prank(account);
        staking.stake{value: amountWei}();
    }
}
