// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

import {IStakingHooks} from "./interfaces/IStakingHooks.sol";

/// @title Parties
/// @notice What contracts beside Staking share: where it is, its EIP-712 domain, and whether a signature counts for a
/// node.
abstract contract Parties {
    /// @notice The staking contract, which holds all stake and knows whose key signs for which node.
    IStakingHooks public immutable staking;

    uint256 private immutable _chainId;
    bytes32 private immutable _domainSeparator;

    /// @param staking_ deployed before, with this contract's precomputed address among its own immutables
    constructor(IStakingHooks staking_) {
        staking = staking_;
        _chainId = block.chainid;
        _domainSeparator = staking_.domainSeparator();
    }

    /// @dev EIP-712 digest of a struct hash in cuckoo's one domain. After a fork of the chain the staking contract
    /// knows the new one.
    function _digest(bytes32 structHash) internal view returns (bytes32) {
        bytes32 separator = block.chainid == _chainId ? _domainSeparator : staking.domainSeparator();
        return MessageHashUtils.toTypedDataHash(separator, structHash);
    }

    /// @dev The signer of `digest`, zero when malformed, and whether its signature with this `issuedAt` counts for
    /// `node` now.
    function _isSignedBy(address node, bytes32 digest, bytes calldata signature, uint64 issuedAt)
        internal
        view
        returns (bool counts, address signer)
    {
        (signer,,) = ECDSA.tryRecoverCalldata(digest, signature);
        counts = signer != address(0) && node != address(0) && staking.partyOf(signer, issuedAt) == node;
    }
}
