// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Staking} from "../../src/Staking.sol";
import {Role, StakingParameters} from "../../src/interfaces/IStaking.sol";
import {Pool, SharePool, StoredPool} from "../../src/libraries/SharePool.sol";

/// @notice Staking with its storage open to read, and short ways to states that take hundreds of real slashes or months of income.
contract StakingHarness is Staking {
    using SharePool for Pool;
    using SharePool for StoredPool;

    uint256 internal constant WAD = 1e18;

    constructor(StakingParameters memory parameters) Staking(parameters) {}

    /// @notice What many slashes in a row leave of a node's votes: takes `votesWad`/1e18 of them, active and thawing alike.
    function lowerVotes(address owner, uint256 votesWad) external returns (uint256 takenWei) {
        Open memory node = _open(owner, true);
        Pool memory thawing = _nodes[owner].thawingVotes.load();
        takenWei = node.votes.lower(node.votes.assetsWei * votesWad / WAD);
        takenWei += thawing.lower(thawing.assetsWei * votesWad / WAD);
        _nodes[owner].thawingVotes.save(thawing);
        _addToPool(takenWei);
        _close(node);
    }

    /// @notice What much income leaves: it lifts the price of a vote share.
    function liftVotes(address owner) external payable {
        Open memory node = _open(owner, true);
        node.votes.assetsWei += msg.value;
        _close(node);
    }

    function setNonce(address owner, uint16 nonce) external {
        _nodes[owner].nonce = nonce;
    }

    function votesPool(address node) external view returns (Pool memory) {
        return _nodes[node].votes.load();
    }

    function thawingBondPool(address node) external view returns (Pool memory) {
        return _nodes[node].thawingBond.load();
    }

    function thawingVotesPool(address node) external view returns (Pool memory) {
        return _nodes[node].thawingVotes.load();
    }

    function position(address account, address node) external view returns (Position memory) {
        return _positions[account][node];
    }

    function thaw(address account, uint256 id) external view returns (Thaw memory) {
        return _thaws[account][id];
    }

    // ---- many at once: invariants read thousands of times, and a call costs more than what it reads ----

    /// @notice Votes as a settlement now would leave them, thawing votes, thawing bond.
    function pools(address node) external view returns (Pool[3] memory) {
        return [_preview(node).votes, _nodes[node].thawingVotes.load(), _nodes[node].thawingBond.load()];
    }

    function votesOfAll(address[] calldata accounts, address node)
        external
        view
        returns (uint256[] memory shares, uint256[] memory amountsWei)
    {
        Pool memory votes = _preview(node).votes;
        (shares, amountsWei) = (new uint256[](accounts.length), new uint256[](accounts.length));
        for (uint256 i = 0; i < accounts.length; ++i) {
            Position memory held = _positions[accounts[i]][node];
            shares[i] = votes.liveShares(held.shares, held.generation);
            amountsWei[i] = votes.toAssets(shares[i]);
        }
    }

    /// @notice What the role's index carries on to its next settlement, of money that has flowed.
    function carriedWei(Role role) external view returns (uint256) {
        Flow memory flow;
        _accrue(flow, role);
        return flow.carry >> 8;
    }

    function place(address node) external view returns (uint256) {
        return _nodes[node].place;
    }

    function lastRole(address node) external view returns (Role) {
        return _nodes[node].role;
    }
}
