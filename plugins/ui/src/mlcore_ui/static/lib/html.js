// Preact, htm and signals under one roof: modules import what they draw with from here.
import { h, render, Component, Fragment } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState, useCallback } from "preact/hooks";
import { signal, computed, effect, batch, untracked, useSignal, useComputed, useSignalEffect } from "@preact/signals";
import htm from "htm";

const html = htm.bind(h);

export {
  html, h, render, Component, Fragment,
  useEffect, useLayoutEffect, useMemo, useRef, useState, useCallback,
  signal, computed, effect, batch, untracked, useSignal, useComputed, useSignalEffect,
};
