// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @dev One attempt of one task, given by a coordinator to a miner; signed by the coordinator's operator.
struct Assignment {
    bytes32 taskId;
    uint32 attempt;
    address coordinator;
    address miner;
    bytes32 manifest;
    bytes32 inputHash;
    bytes32 paramsHash;
    uint64 seed;
    uint128 unitPriceWei;
    uint128 maxPriceWei;
    uint64 issuedAt;
    uint64 deadline;
    bytes32 drawRef;
}

/// @dev What a miner answers to an assignment; signed by the miner's operator.
/// @param assignment EIP-712 digest of the assignment
struct Result {
    bytes32 assignment;
    bytes32 outputHash;
    uint64 units;
    uint8 finishReason;
}

/// @dev All that a coordinator ever owed a miner; signed by the coordinator's operator. Only the difference to what was
/// redeemed before is paid.
struct Voucher {
    address coordinator;
    address miner;
    uint128 cumulativeWei;
    uint64 issuedAt;
}

/// @dev An assignment and its result, signed by both sides: neither can frame the other. Its id is the task's.
struct Receipt {
    Assignment assignment;
    bytes assignmentSignature;
    Result result;
    bytes resultSignature;
}

/// @title Signed
/// @notice EIP-712 struct hashes of what nodes sign. All fields are static, so `abi.encode` of a struct is the standard's
/// `encodeData`. The domain is {name: "Cuckoo", version: "1", chainId, verifyingContract: Staking} everywhere.
library Signed {
    bytes32 internal constant ASSIGNMENT_TYPEHASH = keccak256(
        "Assignment(bytes32 taskId,uint32 attempt,address coordinator,address miner,bytes32 manifest,bytes32 inputHash,bytes32 paramsHash,uint64 seed,uint128 unitPriceWei,uint128 maxPriceWei,uint64 issuedAt,uint64 deadline,bytes32 drawRef)"
    );
    bytes32 internal constant RESULT_TYPEHASH =
        keccak256("Result(bytes32 assignment,bytes32 outputHash,uint64 units,uint8 finishReason)");
    bytes32 internal constant VOUCHER_TYPEHASH =
        keccak256("Voucher(address coordinator,address miner,uint128 cumulativeWei,uint64 issuedAt)");

    function hash(Assignment memory self) internal pure returns (bytes32) {
        return keccak256(abi.encode(ASSIGNMENT_TYPEHASH, self));
    }

    function hash(Result memory self) internal pure returns (bytes32) {
        return keccak256(abi.encode(RESULT_TYPEHASH, self));
    }

    function hash(Voucher memory self) internal pure returns (bytes32) {
        return keccak256(abi.encode(VOUCHER_TYPEHASH, self));
    }
}
