// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IPayments} from "../../src/interfaces/IPayments.sol";
import {IStaking, Role} from "../../src/interfaces/IStaking.sol";
import {IStakingHooks} from "../../src/interfaces/IStakingHooks.sol";

/// @notice Stake as plain numbers that a test sets, with the hooks' own arithmetic: what unit tests of the other contracts stand on.
/// A thaw queue is one pool of shares, as in Staking, without virtual shares: exact while a test's numbers divide.
contract StakingMock is IStakingHooks {
    using SafeCast for uint256;

    struct Node {
        Role role;
        bool inactive;
        uint256 bondWei;
        uint256 thawingBondWei;
        uint256 thawingShares;
        uint32 generation;
        uint256 votesWei;
        uint256 incomeWei;
        uint64 jailedUntil;
        uint256 frozenWei;
        uint64 frozenUntil;
    }

    struct Key {
        address node;
        uint64 validUntil;
    }

    uint64 public constant thawSeconds = 7 days;
    uint64 public constant epochSeconds = 2 days;
    uint64 public constant freezeSeconds = 5 days;

    address public payments;
    address public court;
    address public epochs;
    uint256 public poolWei;

    mapping(address node => Node) public nodes;
    mapping(address operator => Key) private _keys;
    mapping(address node => uint256) private _minerBond;
    uint256 private _minerTotal;
    mapping(address node => mapping(uint64 epoch => uint256)) private _bondAt;
    mapping(address node => mapping(uint64 epoch => bool)) private _differsAt;
    mapping(address node => mapping(uint64 epoch => bool)) private _forgotten;
    mapping(uint64 epoch => uint256) private _moreAt;
    mapping(uint64 epoch => uint256) private _lessAt;

    // ---- what a test sets ----

    function wire(address payments_, address court_, address epochs_) external {
        (payments, court, epochs) = (payments_, court_, epochs_);
    }

    function setNode(address node, address operator, Role role) external payable {
        nodes[node].role = role;
        nodes[node].bondWei += msg.value;
        _keys[operator] = Key(node, type(uint64).max);
    }

    function setThawing(address node) external payable {
        nodes[node].thawingBondWei += msg.value;
        nodes[node].thawingShares += msg.value;
    }

    function setVotes(address node) external payable {
        nodes[node].votesWei += msg.value;
    }

    function setRole(address node, Role role) external {
        nodes[node].role = role;
    }

    /// @dev As in Staking: what a coordinator's bond stands for cannot begin to thaw.
    function unbond(address node, uint256 amountWei) external {
        Node storage leaving = nodes[node];
        uint256 remainingWei = leaving.bondWei - amountWei;
        if (leaving.role == Role.Coordinator) {
            uint256 requiredWei = IPayments(payments).requiredBondWei(node);
            if (remainingWei < requiredWei) revert BondCommitted(remainingWei, requiredWei);
        }
        leaving.bondWei = remainingWei;
    }

    function rotate(address operator, address next) external {
        address node = _keys[operator].node;
        _keys[operator].validUntil = _now() + thawSeconds;
        _keys[next] = Key(node, type(uint64).max);
    }

    /// @dev In all epochs; before any {setBondAt} of the node.
    function setBond(address node, uint256 bondWei) external {
        _minerTotal = _minerTotal + bondWei - _minerBond[node];
        _minerBond[node] = bondWei;
    }

    function setBondAt(address node, uint64 epoch, uint256 bondWei) external {
        _moreAt[epoch] += bondWei;
        _lessAt[epoch] += _bondIn(node, epoch);
        (_bondAt[node][epoch], _differsAt[node][epoch]) = (bondWei, true);
    }

    function forget(address node, uint64 epoch) external {
        _forgotten[node][epoch] = true;
    }

    // ---- views ----

    function domainSeparator() public view returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Cuckoo"),
                keccak256("1"),
                block.chainid,
                address(this)
            )
        );
    }

    function partyOf(address operator, uint64 issuedAt) external view returns (address) {
        Key memory key = _keys[operator];
        if (key.validUntil == type(uint64).max) return key.node;
        return block.timestamp <= key.validUntil && issuedAt + thawSeconds <= key.validUntil ? key.node : address(0);
    }

    function actsFor(address account, address node) external view returns (bool) {
        return account == node || (_keys[account].node == node && _keys[account].validUntil == type(uint64).max);
    }

    function operatorRecord(address operator) external view returns (address node, uint64 validUntil) {
        return (_keys[operator].node, _keys[operator].validUntil);
    }

    function roleOf(address node) external view returns (Role) {
        return nodes[node].role;
    }

    function isActive(address node) external view returns (bool) {
        return nodes[node].role != Role.None && !nodes[node].inactive;
    }

    function bondOf(address node) external view returns (uint256, uint256) {
        return (nodes[node].bondWei, nodes[node].thawingBondWei);
    }

    function minerBondAt(address node, uint64 epoch) external view returns (uint256) {
        if (_forgotten[node][epoch] || epoch > currentEpoch()) revert IStaking.ParameterInvalid("epoch");
        return nodes[node].role == Role.Miner ? _bondIn(node, epoch) : 0;
    }

    function totalActiveBondAt(Role role, uint64 epoch) external view returns (uint256) {
        return role == Role.Miner ? _minerTotal + _moreAt[epoch] - _lessAt[epoch] : 0;
    }

    function currentEpoch() public view returns (uint64) {
        return _now() / epochSeconds;
    }

    // ---- hooks ----

    modifier only(address caller) {
        if (msg.sender != caller) revert CallerInvalid(msg.sender);
        _;
    }

    function slash(address node, uint256 bondWei, uint256 refillWei, uint16 cutBps, uint256 caseId)
        external
        only(court)
        returns (uint256 takenWei, uint256 paidWei)
    {
        Node storage slashed = nodes[node];
        uint256 allWei = slashed.bondWei + slashed.thawingBondWei;
        if (allWei == 0) return (0, 0);
        takenWei = bondWei < allWei ? bondWei : allWei;
        uint256 thawingWei = slashed.thawingBondWei * takenWei / allWei;
        slashed.thawingBondWei -= thawingWei;
        slashed.bondWei -= takenWei - thawingWei;
        if (slashed.thawingBondWei == 0) (slashed.thawingShares, slashed.generation) = (0, slashed.generation + 1);
        uint256 votesWad = takenWei * 1e17 / allWei;
        uint256 votesWei = slashed.votesWei * (votesWad < 2e16 ? votesWad : 2e16) / 1e18;
        slashed.votesWei -= votesWei;
        paidWei = refillWei < takenWei ? refillWei : takenWei;
        paidWei += (takenWei - paidWei) * cutBps / 10_000;
        poolWei += takenWei - paidWei + votesWei;
        emit Slashed(node, caseId, takenWei - thawingWei, thawingWei, votesWei, paidWei);
        (bool sent,) = court.call{value: paidWei}("");
        require(sent);
    }

    function jail(address node, uint64 until) external only(court) {
        nodes[node].inactive = true;
        if (until > nodes[node].jailedUntil) nodes[node].jailedUntil = until;
        emit Jailed(node, until);
    }

    function freeze(address node, uint256 bondWei, uint64 until) external only(court) {
        (nodes[node].frozenWei, nodes[node].frozenUntil) = (bondWei, until);
        emit Frozen(node, bondWei, until);
    }

    function creditIncome(address node) external payable only(payments) {
        nodes[node].incomeWei += msg.value;
    }

    function claimBond(address node, uint256 amountWei)
        external
        only(payments)
        returns (uint256 takenWei, uint128 shares, uint32 generation)
    {
        Node storage claimed = nodes[node];
        takenWei = amountWei < claimed.bondWei ? amountWei : claimed.bondWei;
        uint256 bought =
            claimed.thawingShares == 0 ? takenWei : takenWei * claimed.thawingShares / claimed.thawingBondWei;
        claimed.bondWei -= takenWei;
        claimed.thawingBondWei += takenWei;
        claimed.thawingShares += bought;
        (shares, generation) = (bought.toUint128(), claimed.generation);
        emit BondClaimed(node, takenWei, bought, generation);
    }

    function payClaim(address node, uint128 shares, uint32 generation, address miner)
        external
        only(payments)
        returns (uint256 amountWei)
    {
        amountWei = _burn(nodes[node], shares, generation);
        nodes[miner].incomeWei += amountWei;
        emit BondClaimPaid(node, miner, shares, amountWei);
    }

    function returnClaim(address node, uint128 shares, uint32 generation)
        external
        only(payments)
        returns (uint256 amountWei)
    {
        amountWei = _burn(nodes[node], shares, generation);
        nodes[node].bondWei += amountWei;
        emit BondClaimReturned(node, shares, amountWei);
    }

    function penalise(address node, uint256 amountWei) external only(payments) returns (uint256 takenWei) {
        takenWei = amountWei < nodes[node].bondWei ? amountWei : nodes[node].bondWei;
        nodes[node].bondWei -= takenWei;
        poolWei += takenWei;
        emit Penalised(node, takenWei);
    }

    function suspend(address node) external only(epochs) {
        nodes[node].inactive = true;
        emit Suspended(node);
    }

    function resume(address node) external only(epochs) {
        nodes[node].inactive = false;
        emit Resumed(node);
    }

    function fundPool() external payable {
        poolWei += msg.value;
    }

    function claimWorth(address node, uint128 shares, uint32 generation) external view returns (uint256) {
        return _worth(nodes[node], shares, generation);
    }

    function _bondIn(address node, uint64 epoch) private view returns (uint256) {
        return _differsAt[node][epoch] ? _bondAt[node][epoch] : _minerBond[node];
    }

    function _now() private view returns (uint64) {
        return block.timestamp.toUint64();
    }

    function _burn(Node storage node, uint256 shares, uint32 generation) private returns (uint256 amountWei) {
        amountWei = _worth(node, shares, generation);
        if (generation != node.generation) return 0;
        node.thawingShares -= shares;
        node.thawingBondWei -= amountWei;
    }

    function _worth(Node storage node, uint256 shares, uint32 generation) private view returns (uint256) {
        if (generation != node.generation || node.thawingShares == 0) return 0;
        return node.thawingBondWei * shares / node.thawingShares;
    }
}
