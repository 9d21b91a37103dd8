// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking, Profile, Role} from "../../src/interfaces/IStaking.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Each rule of the contract against a model written another way.
contract StakingFuzz is TestBase {
    function testFuzz_freeMoneyGoesInAndOut(uint256 inSeed, uint256 outSeed) public {
        uint256 amount = _bound(inSeed, 1, 1_000_000 ether);
        _stake(alice, amount);
        uint256 paid = _bound(outSeed, 0, amount);
        uint256 before = bob.balance;
        vm.prank(alice);
        staking.withdraw(_ids(), paid, payable(bob));
        vm.assertEq(bob.balance - before, paid, "paid");
        vm.assertEq(_free(alice), amount - paid, "free");
    }

    function testFuzz_weight(uint256 bondSeed, uint256 votesSeed, uint256 unbondSeed, uint256 slashSeed) public {
        uint256 bondWei = _bound(bondSeed, MINER_THRESHOLD + 1, 200_000 ether);
        uint256 votesWei = _bound(votesSeed, 1 ether, 16 * bondWei);
        _register(alice, Role.Miner, bondWei);
        _register(carol, Role.Miner, MINER_BOND);
        _vote(bob, alice, votesWei);
        uint256 unbonded = _bound(unbondSeed, 1, bondWei);
        vm.prank(alice);
        staking.unbond(unbonded);
        bondWei -= unbonded;
        _slashPart(alice, _bound(slashSeed, 0, 0.5 ether));

        IStaking.NodeView memory node = staking.getNode(alice);
        uint256 expected = 0;
        if (node.bondWei > MINER_THRESHOLD) {
            expected = node.bondWei + (node.votesWei > 16 * node.bondWei ? 16 * node.bondWei : node.votesWei);
        }
        vm.assertEq(node.weightWei, expected, "weight");
        vm.assertEq(node.active, expected != 0, "active");
        vm.assertEq(staking.totalWeight(Role.Miner), expected + MINER_BOND, "total");
        vm.assertEq(
            staking.totalActiveBondAt(Role.Miner, staking.currentEpoch()),
            (expected == 0 ? 0 : node.bondWei) + MINER_BOND,
            "total bond"
        );
    }

    /// @dev Votes pass through both pools; without a slash not a wei is lost, whatever the amounts.
    function testFuzz_withoutASlashEverythingComesBack(uint256 voteSeed, uint256 otherSeed, uint256 partSeed) public {
        _registerMiner(alice);
        uint256 amount = _bound(voteSeed, 1 ether, 100_000 ether);
        _vote(carol, alice, _bound(otherSeed, 1 ether, 100_000 ether));
        uint256 shares = _vote(bob, alice, amount);
        uint256 part = _bound(partSeed, 1, shares);
        if (shares - part < 1 ether * VIRTUAL_SHARES) part = shares;
        uint256 first = _unvote(bob, alice, part);
        _skip(1);
        uint256 second = part != shares ? _unvoteAll(bob, alice) : 0;
        _skip(THAW);
        uint256 paid = _withdraw(bob, first);
        if (part != shares) paid += _withdraw(bob, second);
        vm.assertLe(paid, amount, "profit");
        // An exit by shares may cut a wei in two: half of it stays until the last exit.
        vm.assertLe(amount - paid, 1, "loss");
    }

    function testFuzz_voteEnterThenExitNeverProfits(
        uint256 slashSeed,
        uint256 rewardSeed,
        uint256 amountSeed,
        uint256 thawSlashSeed
    ) public {
        _registerMiner(alice);
        _vote(carol, alice, 1_000 ether);
        staking.lowerVotes(alice, _bound(slashSeed, 0, 0.99 ether));
        vm.prank(dave);
        staking.liftVotes{value: _bound(rewardSeed, 0, 10_000 ether)}(alice);
        _unvote(carol, alice, 10 ether * VIRTUAL_SHARES);
        staking.lowerVotes(alice, _bound(thawSlashSeed, 0, 0.5 ether));
        uint256 amount = _bound(amountSeed, 1 ether, 100_000 ether);
        _vote(bob, alice, amount);
        uint256 id = _unvoteAll(bob, alice);
        _skip(THAW);
        uint256 paid = _withdraw(bob, id);
        vm.assertLe(paid, amount, "profit");
        vm.assertLe(amount - paid, 2, "loss");
    }

    /// @dev Random changes of the voters' share against a list of all that was ever announced.
    function testFuzz_voterShare(uint256[12] calldata seeds) public {
        _register(alice, Role.Miner, MINER_BOND, 5_000);
        uint256 share = 5_000;
        uint256 announced = 0;
        uint256 announcedAt = MAX;
        for (uint256 i = 0; i < seeds.length; ++i) {
            _skip(_bound(seeds[i] >> 16, 0, 2 * THAW));
            if (announcedAt != MAX && block.timestamp >= announcedAt) (share, announcedAt) = (announced, MAX);
            vm.assertEq(uint256(staking.getNode(alice).voterShareBps), share, "in force");
            uint256 next = _bound(seeds[i] & 0xffff, 0, 10_000);
            vm.prank(alice);
            staking.setVoterShare(uint16(next));
            if (next >= share) (share, announcedAt) = (next, MAX);
            else (announced, announcedAt) = (next, block.timestamp + THAW);
            vm.assertEq(uint256(staking.getNode(alice).voterShareBps), share, "after the change");
        }
    }

    /// @dev Random moves of bond over random times against a record of every epoch's end.
    function testFuzz_epochs(uint256[10] calldata seeds) public {
        _register(alice, Role.Miner, MINER_BOND);
        _stake(alice, 1_000_000 ether);
        uint256 bondWei = MINER_BOND;
        uint256 endOfLast = 0;
        uint64 epoch = staking.currentEpoch();
        for (uint256 i = 0; i < seeds.length; ++i) {
            _skip(_bound(seeds[i] >> 128, 0, 3 * EPOCH));
            if (staking.currentEpoch() != epoch) {
                endOfLast = bondWei > MINER_THRESHOLD ? bondWei : 0;
                epoch = staking.currentEpoch();
            }
            uint256 amount = _bound(seeds[i] >> 1, 1, 40_000 ether);
            vm.prank(alice);
            if (seeds[i] & 1 == 0 && amount <= bondWei) {
                staking.unbond(amount);
                bondWei -= amount;
            } else {
                staking.bond(amount);
                bondWei += amount;
            }
            uint256 current = bondWei > MINER_THRESHOLD ? bondWei : 0;
            vm.assertEq(staking.activeBondAt(alice, epoch), current, "node, now");
            vm.assertEq(staking.activeBondAt(alice, epoch - 1), endOfLast, "node, before");
            vm.assertEq(staking.totalActiveBondAt(Role.Miner, epoch), current, "total, now");
            vm.assertEq(staking.totalActiveBondAt(Role.Miner, epoch - 1), endOfLast, "total, before");
        }
    }

    mapping(uint64 epoch => uint256) private _endOf;

    /// @dev Leaving, resting, coming back and moving bond in successive epochs: what was before the last two stays readable.
    function testFuzz_olderEpochs(uint256[12] calldata seeds) public {
        uint64 first = staking.currentEpoch();
        _registerMiner(alice);
        _fund(alice, 10_000_000 ether);
        _stake(alice, 10_000_000 ether);
        uint64 epoch = first;
        uint64 changedIn = first;
        uint256 current = MINER_BOND;
        for (uint256 i = 0; i < seeds.length; ++i) {
            _skip(_bound(seeds[i] >> 128, 0, 2 * EPOCH));
            while (epoch < staking.currentEpoch()) _endOf[epoch++] = current;
            _move(seeds[i]);
            uint256 moved = staking.activeBondAt(alice, epoch);
            if (moved != current) changedIn = epoch;
            current = moved;
            _endOf[epoch] = current;
            vm.assertEq(staking.isActive(alice) ? staking.getNode(alice).bondWei : 0, current, "now");
            for (uint64 e = changedIn - 2; e <= epoch; ++e) {
                vm.assertEq(staking.minerBondAt(alice, e), _endOf[e], "an epoch that counts");
            }
        }
    }

    function _move(uint256 seed) private {
        bool registered = staking.roleOf(alice) != Role.None;
        uint256 bondWei = staking.getNode(alice).bondWei;
        if (!registered) return _registerMiner(alice);
        vm.startPrank(alice);
        if (seed % 5 == 0) staking.rest(alice);
        else if (seed % 5 == 1) staking.rejoin(alice);
        else if (seed % 5 == 2) staking.deregister();
        else if (seed % 5 == 3) staking.bond(1 + seed % 1e22);
        else if (bondWei > 1e22) staking.unbond(1 + seed % 1e22);
        vm.stopPrank();
    }

    function testFuzz_profile(uint256 nameSeed, uint256 urlSeed, uint256 descriptionSeed) public {
        _registerMiner(alice);
        Profile memory profile = Profile({
            name: string(new bytes(_bound(nameSeed, 0, 80))),
            url: string(new bytes(_bound(urlSeed, 0, 300))),
            description: string(new bytes(_bound(descriptionSeed, 0, 1_200)))
        });
        bool fits = bytes(profile.name).length != 0 && bytes(profile.name).length <= 64
            && bytes(profile.url).length <= 256 && bytes(profile.description).length <= 1_024;
        vm.prank(alice);
        (bool accepted,) = address(staking).call(abi.encodeCall(IStaking.setProfile, (profile)));
        vm.assertEq(accepted, fits, "accepted");
    }

    /// @dev Whoever signs for whatever, only the operator's own signature over exactly this registration is taken.
    function testFuzz_foreignSignatures(uint256 keySeed, address owner, uint8 role, uint256 nonce, uint64 deadline)
        public
    {
        uint256 key = _bound(keySeed, 1, type(uint128).max);
        Role signedRole = Role(role % 3);
        vm.assume(owner != alice || signedRole != Role.Miner || nonce != 0 || deadline != FOREVER);
        bytes memory signature =
            _sign(key, staking.registrationDigest(owner, vm.addr(key), signedRole, nonce, deadline));
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IStaking.OperatorSignatureInvalid.selector, vm.addr(key)));
        staking.register{value: MINER_BOND}(Role.Miner, vm.addr(key), 0, MINER_BOND, _profile(), FOREVER, signature);
    }

    /// @dev A slash takes the same part of everything, thawing or not, and exactly what it says; of it, the court gets its part
    /// of the bond and the reward pool the rest.
    function testFuzz_slashIsProportional(
        uint256 bondSeed,
        uint256 voteSeed,
        uint256 slashSeed,
        uint256 refillSeed,
        uint256 cutSeed
    ) public {
        _registerMiner(alice);
        uint256 shares = _vote(bob, alice, _bound(voteSeed, 2 ether, 10_000 ether));
        _unvote(bob, alice, shares / 2);
        vm.prank(alice);
        staking.unbond(_bound(bondSeed, 1, MINER_BOND - 1));
        _checkSlash(
            _bound(slashSeed, 1, MINER_BOND), _bound(refillSeed, 0, MINER_BOND), uint16(_bound(cutSeed, 0, 2_500))
        );
    }

    function _checkSlash(uint256 bondWei, uint256 refillWei, uint16 cutBps) private {
        IStaking.NodeView memory before = staking.getNode(alice);
        uint256 held = address(staking).balance;
        vm.prank(court);
        (uint256 takenWei, uint256 paidWei) = staking.slash(alice, bondWei, refillWei, cutBps, 1);

        IStaking.NodeView memory after_ = staking.getNode(alice);
        uint256 thawingWei = before.thawingBondWei - after_.thawingBondWei;
        vm.assertEq(takenWei, before.bondWei - after_.bondWei + thawingWei, "taken from the bond");
        // Where the price floor empties the thawing bond, all of it goes.
        if (after_.thawingBondWei != 0) {
            vm.assertEq(thawingWei, before.thawingBondWei * bondWei / MINER_BOND, "thawing bond");
            vm.assertEq(takenWei, bondWei, "taken");
        }
        uint256 wad = bondWei * 1e18 / MINER_BOND / 10;
        if (wad > 0.02 ether) wad = 0.02 ether;
        uint256 votesWei = before.votesWei * wad / 1e18 + before.thawingVotesWei * wad / 1e18;
        vm.assertEq(
            after_.votesWei + after_.thawingVotesWei + votesWei, before.votesWei + before.thawingVotesWei, "votes"
        );
        uint256 refilledWei = refillWei < takenWei ? refillWei : takenWei;
        vm.assertEq(paidWei, refilledWei + (takenWei - refilledWei) * cutBps / 10_000, "paid");
        vm.assertEq(staking.undistributedWei(), takenWei - paidWei + votesWei, "pool");
        vm.assertEq(held - address(staking).balance, paidWei, "sent");
    }
}
