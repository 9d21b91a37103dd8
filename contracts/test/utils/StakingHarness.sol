// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Staking} from "../../src/Staking.sol";
import {Role} from "../../src/interfaces/IStaking.sol";
import {Pool, SharePool} from "../../src/libraries/SharePool.sol";

/// @notice Staking with a slash, as the court will bring one, and with its storage open to read.
contract StakingHarness is Staking {
    using SafeCast for uint256;
    using SharePool for Pool;

    uint256 internal constant WAD = 1e18;
    /// @dev The price below which {SharePool} wants a pool emptied: 1/4,096.
    uint256 internal constant MAX_PRICE_FALL = 2 ** 12;

    uint256 public slashedWei;

    constructor(uint64 thawSeconds_, uint64 epochSeconds_) Staking(thawSeconds_, epochSeconds_) {}

    /// @notice Takes `bondWad`/1e18 of the node's bond and `votesWad`/1e18 of its votes, of active and thawing stake alike.
    function slash(address owner, uint256 bondWad, uint256 votesWad) external returns (uint256 takenWei) {
        Node storage node = _nodes[owner];
        Standing memory before = _standing(node);
        takenWei = node.bondWei * bondWad / WAD;
        node.bondWei -= takenWei.toUint96();
        takenWei += _lower(node.thawingBond, bondWad);
        takenWei += _lower(node.votes, votesWad);
        takenWei += _lower(node.thawingVotes, votesWad);
        _undistributedWei += takenWei;
        slashedWei += takenWei;
        _updateTotals(owner, node, before);
    }

    function _lower(Pool storage pool, uint256 wad) private returns (uint256 takenWei) {
        takenWei = pool.assetsWei * wad / WAD;
        pool.assetsWei -= takenWei.toUint96();
        uint256 floorShares = (uint256(pool.assetsWei) + 1) * SharePool.VIRTUAL_SHARES * MAX_PRICE_FALL;
        if (pool.shares + SharePool.VIRTUAL_SHARES <= floorShares) return takenWei;
        takenWei += pool.assetsWei;
        pool.assetsWei = 0;
        pool.shares = 0;
        pool.generation += 1;
    }

    /// @notice Stands in for the reward stream that will drip into vote pools: it lifts the price of a share.
    function reward(address owner) external payable {
        Node storage node = _nodes[owner];
        Standing memory before = _standing(node);
        node.votes.assetsWei += msg.value.toUint96();
        _updateTotals(owner, node, before);
    }

    function setNonce(address owner, uint16 nonce) external {
        _nodes[owner].nonce = nonce;
    }

    function votesPool(address node) external view returns (Pool memory) {
        return _nodes[node].votes;
    }

    function thawingBondPool(address node) external view returns (Pool memory) {
        return _nodes[node].thawingBond;
    }

    function thawingVotesPool(address node) external view returns (Pool memory) {
        return _nodes[node].thawingVotes;
    }

    function position(address account, address node) external view returns (Position memory) {
        return _positions[account][node];
    }

    function thaw(address account, uint256 id) external view returns (Thaw memory) {
        return _thaws[account][id];
    }

    // ---- many at once: invariants read thousands of times, and a call costs more than what it reads ----

    function pools(address node) external view returns (Pool[3] memory) {
        return [_nodes[node].votes, _nodes[node].thawingVotes, _nodes[node].thawingBond];
    }

    function votesOfAll(address[] calldata accounts, address node)
        external
        view
        returns (uint256[] memory shares, uint256[] memory amountsWei)
    {
        Pool memory votes = _nodes[node].votes;
        (shares, amountsWei) = (new uint256[](accounts.length), new uint256[](accounts.length));
        for (uint256 i = 0; i < accounts.length; ++i) {
            Position memory held = _positions[accounts[i]][node];
            shares[i] = votes.liveShares(held.shares, held.generation);
            amountsWei[i] = votes.toAssets(shares[i]);
        }
    }

    function place(address node) external view returns (uint256) {
        return _nodes[node].place;
    }

    function lastRole(address node) external view returns (Role) {
        return _nodes[node].role;
    }
}
