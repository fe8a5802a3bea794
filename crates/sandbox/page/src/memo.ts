// A component that is drawn again only if one of its properties is another object.

import { Component, type ComponentType, type ComponentProps, type FunctionComponent, h } from 'preact';

export function memo<P extends object>(inner: FunctionComponent<P>): ComponentType<P> {
  class Memo extends Component<P> {
    shouldComponentUpdate(next: Readonly<P>): boolean {
      const now = this.props as Record<string, unknown>;
      return Object.entries(next).some(([key, value]) => now[key] !== value);
    }

    render() {
      return h(inner, this.props as ComponentProps<FunctionComponent<P>>);
    }
  }
  return Memo;
}
